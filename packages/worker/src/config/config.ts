import { Credentials } from '@docker-worker/service-kit/control';
import { z } from 'zod';
import { dockerConfig, limits, metadata, registries, registryPrefix, ssl } from './host-access.ts';

/** Names that `artifacts.skipCompressionExtensions` holds unless configured; see contract of the artifacts feature. */
const compressedExtensions =
  '.7z .bz2 .deb .dmg .flv .gif .gz .jpeg .jpg .png .swf .tbz .tgz .webp .whl .woff .woff2 .xz .zip .zst lz4'.split(
    ' ',
  );

const identifier = z.string().regex(/^[A-Za-z0-9_-]{1,38}$/, 'must be 1 to 38 letters, digits, "_" or "-"');

/**
 * The worker's configuration but for what belongs to one feature, which the feature's own settings say. Key names are
 * those of the original docker-worker's configuration file.
 */
export const OwnConfig = z.strictObject({
  rootUrl: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('Root URL of the Taskcluster deployment.'),
  taskcluster: Credentials.describe("The worker's own credentials: claim work, expand scopes."),
  provisionerId: identifier.describe('First half of the worker pool id.'),
  workerType: identifier.describe('Second half of the worker pool id.'),
  workerGroup: identifier,
  workerId: identifier,
  workerNodeType: z.string().default('standalone').describe('Instance type, as tasks see it.'),
  publicIp: z.string().optional(),
  privateIp: z.string().optional(),
  instanceId: z.string().optional(),
  instanceType: z.string().optional(),
  region: z.string().optional(),
  workerLocation: z.string().optional().describe('JSON text, e.g. {"cloud":"aws","region":"eu-west-1"}.'),
  host: z.string().default('localhost').describe('Host name of this worker in the URLs of live logs.'),
  statelessHostname: z
    .strictObject({
      enabled: z.boolean().default(true),
      secret: z
        .string()
        .min(1)
        .optional()
        .describe('Shared with the name server. Default: the variable DNS_SERVER_SECRET.'),
      domain: z.string().min(1).optional(),
    })
    .prefault({})
    .describe(
      'Names of this worker that a stateless name server resolves; with both keys, instead of `host`.',
    ),
  capacity: z.int().min(1).default(1).describe('How many tasks run at once.'),
  features: z
    .record(z.string(), z.strictObject({ enabled: z.boolean() }))
    .default({})
    .describe('Features that this worker offers; those not named are on, except bulkLog.'),
  dockerConfig,
  registries,
  ssl,
  limits,
  metadata,
  task: z
    .strictObject({
      reclaimDivisor: z
        .number()
        .min(1.1)
        .default(2)
        .describe('A claim is renewed after its remaining time divided by this.'),
    })
    .prefault({}),
  artifacts: z
    .strictObject({
      skipCompressionExtensions: z
        .array(z.string())
        .default(compressedExtensions)
        .describe('Artifacts whose names end so are uploaded as they are, all others gzipped.'),
      storageType: z
        .enum(['s3', 'object'])
        .default('s3')
        .describe('How the deployment stores artifacts; with "object" none is gzipped.'),
      maxAttempts: z
        .int()
        .min(1)
        .default(10)
        .describe('How often the upload of a file is tried; then the run is given to the queue again.'),
    })
    .prefault({}),
  logging: z
    .strictObject({
      liveLogAddress: z.string().default('::').describe('Address on which live logs are served.'),
      liveLogPort: z.int().min(0).max(65535).default(0).describe('0 lets the system choose.'),
      secureLiveLogging: z
        .boolean()
        .default(false)
        .describe('Whether live logs are served by https, with the certificate of "ssl".'),
    })
    .prefault({}),
  sidecars: z
    .strictObject({
      registry: registryPrefix
        .optional()
        .describe('Registry and path prefix of the sidecar images; default: local images.'),
      digests: z
        .record(z.string(), z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be "sha256:" and 64 hex digits'))
        .default({})
        .describe(
          'Digests of sidecar images by name, as publishing tells them; without one the version counts.',
        ),
      cpus: z
        .number()
        .positive()
        .default(2)
        .describe('Processor time that each sidecar may take, in cores; fractions allowed.'),
      readySeconds: z
        .number()
        .positive()
        .default(30)
        .describe('How long a sidecar may take until it is ready.'),
    })
    .prefault({}),
  warm: z
    .strictObject({
      units: z
        .int()
        .min(0)
        .default(1)
        .describe(
          'Networks with sidecars that are kept ready; more while tasks come, up to one more for each slot. 0 makes none.',
        ),
      features: z
        .array(z.string())
        .default(['taskclusterProxy'])
        .describe('Whose sidecars they have: the features that most tasks of the pool ask for.'),
    })
    .prefault({}),
  network: z
    .strictObject({
      subnets: z
        .cidrv4()
        .refine(
          (range) => Number(range.split('/')[1]) <= 28,
          'must have room for a /28: its prefix is at most 28',
        )
        .default('172.29.0.0/16')
        .describe('Range from which every task run gets a network of its own, a /28 each.'),
    })
    .prefault({}),
  capacityManagement: z
    .strictObject({
      diskspaceThreshold: z
        .number()
        .min(0)
        .optional()
        .describe(
          'Bytes that must be free for each task that is claimed; default: 30 GB, or a twentieth of a disk on which that is less.',
        ),
    })
    .prefault({}),
  garbageCollection: z
    .strictObject({
      imageExpiration: z
        .number()
        .min(0)
        .default(7_200_000)
        .describe('Milliseconds after its last use that an image stays which was fetched for a task.'),
    })
    .prefault({}),
  stateDirectory: z
    .string()
    .regex(/^\/[^:]*$/, 'must be an absolute path without ":"')
    .default('/var/lib/docker-worker')
    .describe('What the worker must know after a restart, and the sockets that it shares with sidecars.'),
  dockerVolume: z
    .string()
    .optional()
    .describe("Folder on the disk whose free space counts; default: the engine's data."),
  admin: z
    .strictObject({
      address: z.string().default('127.0.0.1').describe('Where operators find /status and /metrics.'),
      port: z.int().min(0).max(65535).default(9324).describe('0 lets the system choose; the log tells.'),
    })
    .prefault({}),
  alivenessCheckInterval: z
    .int()
    .min(1)
    .default(30_000)
    .describe('Milliseconds between two lines "aliveness check" of the log.'),
  shutdown: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Whether a worker without work ends.'),
      afterIdleSeconds: z.number().min(0).default(300).describe('After how long it does; 0 is never.'),
      graceSeconds: z
        .number()
        .positive()
        .default(30)
        .describe('Time for artifacts and logs when a task is aborted because the worker shuts down.'),
    })
    .prefault({}),
});
export type WorkerConfig = z.infer<typeof OwnConfig>;

/** A feature's part of a configuration, which was parsed with the settings of all features. */
export function settingsOf<Shape extends z.ZodRawShape>(
  config: WorkerConfig,
  _settings: Shape,
): z.output<z.ZodObject<Shape>> {
  return config as unknown as z.output<z.ZodObject<Shape>>;
}

export function workerPoolId({ provisionerId, workerType }: WorkerConfig): string {
  return `${provisionerId}/${workerType}`;
}

/** The name that a worker's things carry on the Docker host. */
export function workerNameOf(config: WorkerConfig): string {
  return `${workerPoolId(config)}/${config.workerGroup}/${config.workerId}`;
}
