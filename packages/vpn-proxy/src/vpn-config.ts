import { IpAddress, Port, serviceConfigShape } from '@docker-worker/service-kit/service-config';
import { z } from 'zod';

const StatusRange = z.string().regex(/^\d{3}(-\d{3})?$/, 'is neither a status nor a range such as 200-499');

/** What decides, beside the tunnel's own state, that the upstream can be reached. */
export const Probe = z.strictObject({
  path: z
    .string()
    .regex(/^\/\S*$/, 'does not begin with /')
    .default('/')
    .describe('What is asked for with GET.'),
  expect: z
    .array(StatusRange)
    .min(1)
    .default(['200-499'])
    .describe('Statuses that show that the upstream is reached; default: anything but 5xx.'),
  timeout: z.number().positive().default(15).describe('Seconds that one attempt may take.'),
});
export type Probe = z.infer<typeof Probe>;

const fileName = z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+$/, 'is not a path below the folder');

/** Where the VPN's own configuration comes from. */
export const VpnFiles = z.strictObject({
  directory: z
    .string()
    .default('/vpn')
    .describe('Folder with the configuration, used when there are no "files".'),
  files: z.record(fileName, z.base64()).optional().describe('Contents of such a folder, base64.'),
  config: fileName.default('config.conf').describe('The main file, relative to the folder.'),
});
export type VpnFiles = z.infer<typeof VpnFiles>;

const tunnelKinds = ['none', 'openvpn', 'wireguard'] as const;

/** What an operator says about a VPN-only server, stand-alone as well as to the worker. */
export const upstreamShape = {
  tunnel: z.enum(tunnelKinds).default('openvpn'),
  resolve: z
    .array(z.string().regex(/^[A-Za-z0-9._-]+:\S+$/, 'is not of the form host:ip'))
    .default([])
    .describe('Addresses, as host:ip, of names that are not looked up.'),
  probe: Probe.prefault({}),
  connectTimeout: z.number().positive().default(30).describe('Seconds for a connection to the upstream.'),
  headersTimeout: z
    .number()
    .min(0)
    .default(120)
    .describe('Seconds from a sent request to the headers of its answer; 0 waits for ever.'),
};

/** Everything vpn-proxy can be told, from the worker's `configure` message or from flags and variables. */
export const VpnProxyConfig = z.strictObject({
  ...serviceConfigShape,
  ...upstreamShape,
  /** The one server that all requests go to: origin, with a base path if there is one. */
  upstream: z
    .string()
    .regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, 'is not an http or https URL without query')
    .optional(),
  vpn: VpnFiles.prefault({}),
  /** PEM text of certificates trusted beside the system's. */
  ca: z.string().optional(),
  /** Seconds that the start may wait for tunnel and probe; 0 serves at once, with 503 until they are up. */
  waitSeconds: z.number().min(0).default(0),
  port: Port.default(80),
  /** Address to listen on; absent: all interfaces. */
  address: IpAddress.optional(),
});
export type VpnProxyConfig = z.infer<typeof VpnProxyConfig>;
