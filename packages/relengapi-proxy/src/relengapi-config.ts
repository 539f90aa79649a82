import { Credentials } from '@docker-worker/service-kit/control';
import { IpAddress, Port, serviceConfigShape } from '@docker-worker/service-kit/service-config';
import { z } from 'zod';
import { RelengapiSettings, type Route } from './route-settings.ts';

/** Host that the original called; nothing answers there any more. */
const originalHost = 'api.pub.build.mozilla.org';

/** Everything relengapi-proxy can be told, from the worker's `configure` message or from flags and variables. */
export const RelengapiConfig = z.strictObject({
  ...serviceConfigShape,
  settings: RelengapiSettings.prefault({}),
  /** The permanent token that temporary ones are issued for. */
  issuingToken: z.string().min(1).optional(),
  /** Where all requests go when `settings.routes` is absent. */
  host: z
    .string()
    .regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, 'is not a host name')
    .default(originalHost),
  /** Scopes of the task, from which permissions are taken. */
  scopes: z.array(z.string()).optional(),
  /** A list of one: the task whose scopes are fetched and added. */
  taskId: z
    .tuple([z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'is not a task id')], 'takes one task id')
    .optional(),
  /** Of the Taskcluster deployment that knows `taskId`. */
  rootUrl: z
    .string()
    .regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, 'is not an http or https URL')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  /** Signs requests of routes with Taskcluster authorization; the worker replaces them at each reclaim. */
  credentials: Credentials.optional(),
  port: Port.default(80),
  /** Address to listen on; absent: all interfaces. */
  address: IpAddress.optional(),
  /** PEM text of certificates trusted beside the system's. */
  ca: z.string().optional(),
  /** Seconds for a connection to an upstream. */
  connectTimeout: z.number().positive().default(10),
  /** Seconds from a sent request to the headers of its answer; 0 waits for ever. */
  headersTimeout: z.number().min(0).default(300),
});
export type RelengapiConfig = z.infer<typeof RelengapiConfig>;

/** The configured routes, or the one that the original had. */
export function routesOf({ settings, host }: RelengapiConfig): Route[] {
  return (
    settings.routes ?? [
      {
        prefix: '/',
        strip: false,
        upstream: `https://${host}`,
        auth: { provider: 'relengapi-tmp-token', issuer: `https://${host}/tokenauth/tokens` },
      },
    ]
  );
}
