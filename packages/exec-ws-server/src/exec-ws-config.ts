import { IpAddress, Port, serviceConfigShape } from '@docker-worker/service-kit/service-config';
import { z } from 'zod';

/** Everything exec-ws-server can be told, from the worker's `configure` message or from flags and variables. */
export const ExecWsConfig = z
  .strictObject({
    ...serviceConfigShape,
    /** Id or name of the one container that is served. */
    container: z.string().min(1),
    /** Part of every path; whoever knows it has a shell in the container. Stand-alone one is made up. */
    secret: z
      .string()
      .regex(/^[A-Za-z0-9_-]{22,128}$/, 'is not 22 to 128 letters, digits, "-" or "_"')
      .optional(),
    /** Socket on which the engine's calls about that container are answered, and no others. */
    engineSocket: z.string().min(1).optional(),
    /** Use the engine itself, by `DOCKER_HOST` or its usual socket. Whoever has that is root on the host. */
    unrestricted: z.boolean().default(false),
    port: Port.default(80),
    /** Address to listen on; absent: all interfaces. */
    address: IpAddress.optional(),
    /** PEM texts. With both, TLS is spoken. */
    cert: z.string().optional(),
    key: z.string().optional(),
    /** Path of a static busybox in the container, for images without a shell. */
    busybox: z.string().startsWith('/').optional(),
    /** What the page's and version 2's shells run; default: the best shell that the image has. */
    shell: z.array(z.string()).min(1).optional(),
    /** Shown on the page. */
    task: z.strictObject({ taskId: z.string(), runId: z.int().min(0) }).optional(),
    /** When the container will be gone at the latest; shown on the page. */
    endsAt: z.iso.datetime().optional(),
    /** Origins of other pages that may connect, as `https://tc.example.com`. */
    origins: z.array(z.url()).default([]),
    maxSessions: z.int().min(1).default(10),
    /** Longest message of a client, in bytes. */
    maxMessageBytes: z
      .int()
      .min(1024)
      .default(16 * 1024 * 1024),
    messagesPerSecond: z.int().min(10).default(5_000),
    /** Connections that are taken per second, after a burst of as many as may be open. */
    connectionsPerSecond: z.number().positive().default(5),
    heartbeatSeconds: z.number().positive().default(20),
    /** Seconds that the shell of a page waits for it after its connection was lost. */
    resumeSeconds: z.number().min(0).default(60),
    /** Seconds that the processes of a client which has gone have between HUP and KILL. */
    hangUpSeconds: z.number().min(0).default(3),
  })
  .refine(({ engineSocket, unrestricted }) => (engineSocket !== undefined) !== unrestricted, {
    path: ['engineSocket'],
    message: 'either this or --unrestricted must be given',
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    path: ['cert'],
    message: 'certificate and key go together',
  });
export type ExecWsConfig = z.infer<typeof ExecWsConfig>;
