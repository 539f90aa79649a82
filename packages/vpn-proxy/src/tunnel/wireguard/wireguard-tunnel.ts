import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@docker-worker/service-kit';
import { Keeper } from '../keeper.ts';
import { routeTable } from '../kill-switch.ts';
import type { Tunnel, TunnelState } from '../tunnel.ts';
import { PeerWatch } from './peer-watch.ts';
import type { WireguardConfig } from './wireguard-config.ts';
import { wireguardInterface, wireguardProgram } from './wireguard-program.ts';

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** Without an answer for so long, all is begun anew: the server's name may have another address by now. */
const renewAfterMs = 120_000;

/** What wireguard-go tells of its own threads and of each keepalive. */
const chatter = /Routine: |keepalive packet|UAPI|Interface |Device |Starting wireguard-go|UDP bind/;

/**
 * A WireGuard interface and what is known of its peer. Make it with the privileges that it needs;
 * afterwards this process can do without them.
 */
export class WireguardTunnel implements Tunnel {
  onChange = () => {};
  onSilence = () => {};
  readonly dns: Tunnel['dns'];
  #state: TunnelState = { name: 'STARTING' };
  readonly #keeper: Keeper;
  readonly #logger: Logger;
  readonly #address: string;
  readonly #watch = new PeerWatch();
  #pauseMs = firstPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #renewAt = Number.POSITIVE_INFINITY;
  #lastLine = '';

  static async make(config: WireguardConfig, logger: Logger): Promise<WireguardTunnel> {
    const folder = await mkdtemp(join(tmpdir(), 'wireguard-'));
    await chmod(folder, 0o700);
    const file = join(folder, 'device.conf');
    await writeFile(file, config.device, { mode: 0o600 });
    return new WireguardTunnel(config, file, logger);
  }

  private constructor({ addresses, mtu, dns }: WireguardConfig, file: string, logger: Logger) {
    this.#logger = logger;
    this.dns = dns;
    this.#address = (addresses[0] ?? '').replace(/\/.*/, '');
    const settings = [wireguardInterface, `${mtu ?? ''}`, `${routeTable}`, file, ...addresses];
    this.#keeper = new Keeper(['bash', '-c', wireguardProgram, 'wireguard', ...settings], {
      sharesInput: true,
      onLine: (line) => this.#told(line),
      onEnd: (code) => this.#ended(code),
    });
  }

  get state(): TunnelState {
    return this.#state;
  }

  get isUp(): boolean {
    return this.#state.name === 'CONNECTED';
  }

  open(): void {
    this.#renewAt = performance.now() + renewAfterMs;
    this.#keeper.run();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#keeper.close();
  }

  #told(line: string): void {
    if (!this.#watch.read(line)) {
      this.#lastLine = line;
      this.#logger[chatter.test(line) ? 'debug' : 'info']({ tunnel: 'wireguard' }, line);
      return;
    }
    const now = performance.now();
    const health = this.#watch.judge(now, Date.now());
    if (health === 'alive' || health === 'silent') {
      this.#renewAt = now + renewAfterMs;
      this.#pauseMs = firstPauseMs;
      if (!this.isUp) this.#change({ name: 'CONNECTED', detail: this.#address });
      if (health === 'silent') this.onSilence();
    } else if (health === 'unmet') {
      if (this.#state.name !== 'WAIT')
        this.#change({ name: 'WAIT', detail: 'the VPN server has not answered a handshake yet' });
    } else if (this.isUp) {
      this.#change({ name: 'RECONNECTING', detail: 'nothing is heard from the VPN server' });
    }
    if (now > this.#renewAt) {
      this.#renewAt = now + renewAfterMs;
      // A line ends what runs.
      this.#keeper.run();
    }
  }

  #ended(code: number): void {
    this.#watch.reset();
    this.#change({
      name: 'EXITED',
      ...(this.#isClosed ? {} : { detail: `WireGuard ended with ${code}: ${this.#lastLine}` }),
    });
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.open(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #change(state: TunnelState): void {
    this.#state = state;
    this.#logger.info({ state: state.name, detail: state.detail }, 'tunnel');
    this.onChange();
  }
}
