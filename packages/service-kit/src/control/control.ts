import { z } from 'zod';

/**
 * The control channel between the worker and a sidecar: one JSON message per line, the worker's on the
 * service's standard input, the service's on its standard output. Secrets travel here and nowhere else.
 */

/** Taskcluster credentials as the queue hands them out; `certificate` is a string that holds JSON. */
export const Credentials = z.strictObject({
  clientId: z.string().min(1),
  accessToken: z.string().min(1),
  certificate: z.string().optional(),
});
export type Credentials = z.infer<typeof Credentials>;

/** Worker → service. The first message is `configure`; `credentials` follows at every reclaim. */
export const ControlRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('configure'), config: z.unknown() }),
  z.strictObject({ type: z.literal('credentials'), credentials: Credentials }),
]);
export type ControlRequest = z.infer<typeof ControlRequest>;

/**
 * Service → worker. `ready` answers `configure`; `applied` answers `credentials`; `refused` answers
 * either, names the reason without any secret, and after a refused `configure` the service exits. An `event`
 * answers nothing: the service says what the worker has to know, in a form that the two agree on.
 */
export const ControlReply = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('ready'),
    name: z.string(),
    version: z.string(),
    /** TCP port of the data listener. */
    port: z.int(),
    /** TCP port of the admin listener, on loopback inside the container. */
    adminPort: z.int(),
  }),
  z.strictObject({ type: z.literal('applied'), request: z.literal('credentials') }),
  z.strictObject({
    type: z.literal('refused'),
    request: z.enum(['configure', 'credentials', 'unknown']),
    message: z.string(),
  }),
  z.strictObject({ type: z.literal('event'), event: z.unknown() }),
]);
export type ControlReply = z.infer<typeof ControlReply>;

/** One message as the line that carries it. */
export function controlLine(message: ControlRequest | ControlReply): string {
  return `${JSON.stringify(message)}\n`;
}
