import { upstreamShape } from '@docker-worker/vpn-proxy/sidecar';
import { z } from 'zod';

const hostName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'is not a host name of lower-case letters, digits and "-"');

/** One server that tasks reach through a VPN. */
export const VpnProxySettings = z.strictObject({
  ...upstreamShape,
  alias: hostName
    .optional()
    .describe('Host name in the task. Default: balrog for the Balrog features, else the name in lower case.'),
  upstream: z
    .string()
    .regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, 'is not an http or https URL without query')
    .describe('The server that all requests go to.'),
  vpn: z
    .string()
    .optional()
    .describe('Folder on this host with the VPN configuration; needed unless "tunnel" is none.'),
  vpnConfig: z.string().default('config.conf').describe('The main file in that folder.'),
  ipv6: z
    .boolean()
    .default(false)
    .describe('Whether the tunnel carries IPv6; needs a host whose kernel has it.'),
  scope: z.string().optional().describe('What a task needs. Default: docker-worker:feature:<name>.'),
  ca: z.string().optional().describe('PEM file of certificates to trust beside the system’s.'),
});
export type VpnProxySettings = z.infer<typeof VpnProxySettings>;

/** By the name of the feature in `payload.features`. */
const vpnProxies = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9]*$/, 'must be letters and digits'), VpnProxySettings)
  .default({})
  .describe('Servers behind VPNs; each is a feature that tasks can ask for by this name.');

export const settings = { vpnProxies };
