import { IpAddress, Port, serviceConfigShape } from '@docker-worker/service-kit/service-config';
import { z } from 'zod';
import { ProxyCredentials } from './proxy-credentials.ts';

/** Everything tc-proxy can be told, from the worker's `configure` message or from flags and variables. */
export const TcProxyConfig = z.strictObject({
  ...serviceConfigShape,
  /** Root URL of the Taskcluster deployment. */
  rootUrl: z
    .string()
    .regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, 'is not an http or https URL')
    .transform((url) => url.replace(/\/+$/, '')),
  credentials: ProxyCredentials,
  /**
   * Scopes that requests are restricted to. Absent: all that the credentials have. Empty list: none.
   */
  authorizedScopes: z.array(z.string()).optional(),
  /** A task whose scopes are added to `authorizedScopes`; fetched before the port opens. */
  taskId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{22}$/, 'is not a task id')
    .optional(),
  port: Port.default(80),
  /** Address to listen on; absent: all interfaces. */
  address: IpAddress.optional(),
  /** Serve `PUT /credentials` on the data port. Off beside a task, which must not replace credentials. */
  credentialsEndpoint: z.boolean().default(false),
  /** PEM text of certificates trusted beside the system's. */
  ca: z.string().optional(),
  /** Seconds for a connection to an upstream. */
  connectTimeout: z.number().positive().default(10),
  /** Seconds from a sent request to the headers of its answer; 0 waits for ever. */
  headersTimeout: z.number().min(0).default(300),
});
export type TcProxyConfig = z.infer<typeof TcProxyConfig>;
