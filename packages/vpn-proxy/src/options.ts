import type { OptionTable } from '@docker-worker/service-kit/option-table';
import { commaSeparated, listenOptions, upstreamOptions } from '@docker-worker/service-kit/shared-options';
import type { z } from 'zod';
import type { VpnProxyConfig } from './vpn-config.ts';

/** `PROXIED_SERVER` and `/vpn` of the original taskcluster-vpn-proxy, and options of our own. */
export const options = {
  upstream: {
    flag: 'upstream',
    env: 'PROXIED_SERVER',
    placeholder: '<url>',
    description: 'The server to forward to.',
  },
  tunnel: {
    flag: 'tunnel',
    env: 'VPN_PROXY_TUNNEL',
    placeholder: '<kind>',
    description: 'openvpn, wireguard, or none to forward without a tunnel.',
    shownDefault: 'openvpn',
  },
  'vpn.directory': {
    flag: 'vpn-dir',
    env: 'VPN_PROXY_DIR',
    placeholder: '<folder>',
    description: 'Folder with the VPN configuration, certificates and credential files.',
    shownDefault: '/vpn',
  },
  'vpn.config': {
    flag: 'vpn-config',
    env: 'VPN_PROXY_CONFIG',
    placeholder: '<file>',
    description: 'The main configuration file in that folder.',
    shownDefault: 'config.conf',
  },
  resolve: {
    flag: 'resolve',
    env: 'VPN_PROXY_RESOLVE',
    placeholder: '<host:ip,…>',
    description: 'Addresses of names that are not to be looked up, separated by commas.',
    parse: commaSeparated,
  },
  'probe.path': {
    flag: 'probe-path',
    env: 'VPN_PROXY_PROBE_PATH',
    placeholder: '<path>',
    description: 'What is asked for to see whether the server is reached.',
    shownDefault: '/',
  },
  'probe.expect': {
    flag: 'probe-expect',
    env: 'VPN_PROXY_PROBE_EXPECT',
    placeholder: '<statuses>',
    description: 'Statuses and ranges that show that it is, separated by commas.',
    parse: commaSeparated,
    shownDefault: '200-499',
  },
  'probe.timeout': {
    flag: 'probe-timeout',
    env: 'VPN_PROXY_PROBE_TIMEOUT',
    placeholder: '<seconds>',
    description: 'Time that one attempt may take.',
    parse: Number,
    shownDefault: '15',
  },
  waitSeconds: {
    flag: 'wait',
    env: 'VPN_PROXY_WAIT',
    placeholder: '<seconds>',
    description: 'Exit if tunnel and probe are not up by then; 0 serves at once, with 503 until they are.',
    parse: Number,
    shownDefault: '0',
  },
  ...listenOptions('vpn-proxy'),
  ...upstreamOptions('vpn-proxy', { connectTimeout: 30, headersTimeout: 120 }),
} satisfies OptionTable<z.input<typeof VpnProxyConfig>>;
