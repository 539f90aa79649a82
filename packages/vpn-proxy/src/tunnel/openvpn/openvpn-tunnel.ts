import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Logger } from '@docker-worker/service-kit';
import { hasIpv6 } from '../has-ipv6.ts';
import { Keeper } from '../keeper.ts';
import { routeTable } from '../kill-switch.ts';
import type { Tunnel, TunnelState } from '../tunnel.ts';
import { type ManagementMessage, parseManagementLine } from './management-messages.ts';
import { pushedDns } from './pushed-dns.ts';

export interface OpenvpnOptions {
  /** Folder that paths in the configuration are relative to. */
  directory: string;
  /** Main file, relative to the folder. */
  config: string;
  /** Where the management socket is made: a path that only the present user can reach. */
  socketPath: string;
  /** The program; default `openvpn`. */
  program?: string;
  logger: Logger;
}

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/**
 * Gives the tunnel its route once it has an address. It is the default route of a table that only the
 * proxy's own user is sent to, so nothing else of the container changes its way.
 */
const routeCommand =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's variable
  'ip route replace default ${route_vpn_gateway:+via $route_vpn_gateway} dev $1 table ' +
  `${routeTable}; [ -z "$ifconfig_ipv6_local" ] || ip -6 route replace default dev $1 table ${routeTable} || :`;

/**
 * An OpenVPN client that is driven over its management socket, and started anew when it ends. Construct
 * and `listen` with the privileges that it needs; afterwards this process can do without them.
 */
export class OpenvpnTunnel implements Tunnel {
  onChange = () => {};
  #state: TunnelState = { name: 'STARTING' };
  #dns: Tunnel['dns'] = { servers: [] };
  #variables = new Map<string, string>();
  readonly #keeper: Keeper;
  readonly #server: Server;
  readonly #logger: Logger;
  #connection: Socket | undefined;
  #pauseMs = firstPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasFailedAuth = false;
  #lastLine = '';

  /** Resolves when OpenVPN can find the management socket. */
  static async listen(options: OpenvpnOptions): Promise<OpenvpnTunnel> {
    const tunnel = new OpenvpnTunnel(options, await hasIpv6());
    await new Promise<void>((resolve, reject) => {
      tunnel.#server.once('error', reject);
      tunnel.#server.listen(options.socketPath, resolve);
    });
    return tunnel;
  }

  private constructor(
    { directory, config, socketPath, program = 'openvpn', logger }: OpenvpnOptions,
    withIpv6: boolean,
  ) {
    this.#logger = logger;
    this.#server = createServer((connection) => this.#manage(connection));
    const command = [
      program,
      // In front of the configuration, which may say otherwise: a dead peer must be noticed.
      ...['--ping', '5', '--ping-restart', '30'],
      ...['--cd', directory, '--config', config],
      ...['--management', socketPath, 'unix', '--management-client', '--management-hold'],
      ...['--management-up-down', '--suppress-timestamps', '--script-security', '2'],
      // An address that cannot be set would be the end of OpenVPN.
      ...(withIpv6 ? [] : ['--pull-filter', 'ignore', 'ifconfig-ipv6']),
      // No other route: what the server pushes is for the one upstream, and must not move the answers to the clients.
      ...['--route-noexec', '--up', `/bin/sh -c '${routeCommand}' up`],
    ];
    this.#keeper = new Keeper(command, {
      onLine: (line) => {
        this.#lastLine = line;
        logger.info({ tunnel: 'openvpn' }, line);
      },
      onEnd: (code) => this.#ended(code),
    });
  }

  get state(): TunnelState {
    return this.#state;
  }

  get isUp(): boolean {
    return this.#state.name === 'CONNECTED';
  }

  get dns(): Tunnel['dns'] {
    return this.#dns;
  }

  open(): void {
    this.#keeper.run();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#connection?.end('signal SIGTERM\n');
    this.#server.close();
    this.#keeper.close();
  }

  #manage(connection: Socket): void {
    if (this.#isClosed) {
      connection.destroy();
      return;
    }
    this.#connection = connection;
    const lines = createInterface({ input: connection });
    lines.on('line', (line) => {
      const message = parseManagementLine(line);
      if (message) this.#handle(message, connection);
    });
    // The end of the program is told by its keeper.
    for (const source of [connection, lines]) source.on('error', () => {});
    connection.write('state on\n');
  }

  #handle(message: ManagementMessage, connection: Socket): void {
    switch (message.type) {
      case 'hold':
        connection.write('hold release\n');
        break;
      case 'up':
      case 'down':
        this.#variables = new Map();
        if (message.type === 'down') this.#dns = { servers: [] };
        break;
      case 'variable':
        this.#variables.set(message.name, message.value);
        break;
      case 'variables-end':
        if (this.#variables.size > 0 && this.#state.name !== 'EXITING')
          this.#dns = pushedDns(this.#variables);
        break;
      case 'auth-failed':
        this.#hasFailedAuth = true;
        this.#change({ name: 'AUTH_FAILED', detail: 'the VPN server refuses the credentials' });
        break;
      case 'state':
        if (message.name === 'CONNECTED') {
          this.#pauseMs = firstPauseMs;
          this.#hasFailedAuth = false;
          this.#change({ name: 'CONNECTED', detail: message.localAddress });
        } else if (!this.#hasFailedAuth) {
          this.#change({ name: message.name, ...(message.detail ? { detail: message.detail } : {}) });
        }
        break;
    }
  }

  #ended(code: number): void {
    this.#connection = undefined;
    this.#dns = { servers: [] };
    if (!this.#hasFailedAuth)
      this.#change({ name: 'EXITED', detail: `openvpn ended with ${code}: ${this.#lastLine}` });
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#hasFailedAuth = false;
      this.#keeper.run();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #change(state: TunnelState): void {
    this.#state = state;
    this.#logger.info({ state: state.name, detail: state.detail }, 'tunnel');
    this.onChange();
  }
}
