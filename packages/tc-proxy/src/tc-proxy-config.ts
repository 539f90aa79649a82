import { X509Certificate } from 'node:crypto';
import { IpAddress, Port, serviceConfigShape } from '@docker-worker/service-kit/service-config';
import { z } from 'zod';
import { ProxyCredentials } from './signing/proxy-credentials.ts';

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
  /** Refuses connections from processes of other users of this machine. */
  allowedUser: z.string().min(1).optional(),
  /** CIDR range that peers who are not of this machine must come from. */
  allowedNetwork: z
    .union([z.cidrv4('is no CIDR range'), z.cidrv6('is no CIDR range')])
    .refine((range) => !range.endsWith('/0'), 'must not be every address (/0)')
    .optional(),
  /** PEM text of certificates trusted beside the system's. */
  ca: z.string().refine(isPem, 'holds no certificate').optional(),
  /** Seconds for a connection to an upstream. */
  connectTimeout: z.number().positive().default(10),
  /** Seconds from a sent request to the headers of its answer; 0 waits for ever. */
  headersTimeout: z.number().min(0).default(300),
  /** Seconds in which a failed request is sent again, if that is safe; 0 sends each once. */
  retryDeadline: z.number().min(0).default(60),
  /** Which requests may be sent again: those that do no more when carried out twice, or all. */
  retryMethods: z.enum(['idempotent', 'all']).default('idempotent'),
  /** Take no requests for hosts other than the root URL's. */
  denyHostForm: z.boolean().default(false),
  /** Hosts, by name or address, that are reached even if they are loopback, link-local or a metadata service. */
  allowHosts: z.array(z.string().transform((host) => host.toLowerCase())).default([]),
  /** URL of an HTTP proxy for https upstreams. */
  httpsProxy: z
    .string()
    .refine(
      (url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol),
      'is not an http or https URL',
    )
    .optional(),
  /** Hosts that are reached without that proxy, separated by commas; a name covers its subdomains, `*` all. */
  noProxy: z.string().default(''),
});
export type TcProxyConfig = z.infer<typeof TcProxyConfig>;

function isPem(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}
