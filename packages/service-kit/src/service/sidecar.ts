import type { z } from 'zod';

/**
 * What the worker must know to run a service beside a task. Each service exports one from its
 * `sidecar.ts`; the worker has a single function that starts any of them.
 */
export interface Sidecar<Config extends z.ZodType = z.ZodType> {
  /** Package name without scope, as in labels and logs: `tc-proxy`. */
  name: string;
  /** Image repository without registry and tag: `docker-worker/tc-proxy`. */
  image: string;
  /** Version of the package, which is the image's tag. */
  version: string;
  /** Host name under which the task reaches it. */
  alias: string;
  /** TCP port of the data listener inside the container. */
  port: number;
  /** What `configure` carries; the service parses it with this same schema. */
  config: Config;
  /** Linux capabilities to add; all others are dropped. */
  capabilities?: readonly string[];
  /** Host devices to map in, by path. */
  devices?: readonly string[];
  /** Kernel settings of its network, by their names. */
  sysctls?: Readonly<Record<string, string>>;
  /** Seconds that it may take to end by itself when its input ends, for what it must leave in order; default 0. */
  stopSeconds?: number;
  /** Whether the port is published on the host, for clients outside of the run's network. */
  publish?: boolean;
  /** Folder in its container where it finds the sockets that the worker serves for it; it cannot write there. */
  sockets?: string;
}
