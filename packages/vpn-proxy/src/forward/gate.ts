import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@docker-worker/service-kit';
import type { Tunnel } from '../tunnel/tunnel.ts';

export interface GateOptions {
  tunnel: Tunnel;
  /** Asks the upstream once; resolves to what is wrong, or to undefined. */
  probe(signal: AbortSignal): Promise<string | undefined>;
  /** The way to the upstream is gone: nothing that used it can go on. */
  onShut(): void;
  logger: Logger;
}

/** What is known about the way to the upstream, as clients are told. */
export interface GateState {
  tunnel: string;
  detail?: string;
  probe: 'waiting' | 'running' | 'passed' | 'failed';
  problem?: string;
  /** When this became so. */
  since: string;
}

const probePausesMs = [200, 500, 1_000, 2_000, 5_000];

/** Lets requests through while the tunnel is up and since the upstream has been seen through it. */
export class Gate {
  readonly #options: GateOptions;
  #probe: Pick<GateState, 'probe' | 'problem'> = { probe: 'waiting' };
  #since = new Date();
  #probing: AbortController | undefined;
  #listeners = new Set<() => void>();

  constructor(options: GateOptions) {
    this.#options = options;
    options.tunnel.onChange = () => this.#tunnelChanged();
    options.tunnel.onSilence = () => void options.probe(new AbortController().signal);
  }

  get isOpen(): boolean {
    return this.#options.tunnel.isUp && this.#probe.probe === 'passed';
  }

  get state(): GateState {
    const { name, detail } = this.#options.tunnel.state;
    return { tunnel: name, ...(detail ? { detail } : {}), ...this.#probe, since: this.#since.toISOString() };
  }

  /** Resolves as soon as the gate is open; rejects, with the reason, when it never will be or the time is over. */
  async opened(seconds: number, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
    while (!this.isOpen) {
      if (this.state.tunnel === 'AUTH_FAILED') throw new Error(describe(this.state));
      if (over.aborted) throw new Error(`${describe(this.state)}, after ${seconds} s`);
      await new Promise<void>((resolve) => {
        const done = () => {
          over.removeEventListener('abort', done);
          this.#listeners.delete(done);
          resolve();
        };
        over.addEventListener('abort', done);
        this.#listeners.add(done);
      });
    }
  }

  close(): void {
    this.#probing?.abort();
    this.#options.tunnel.close();
  }

  #tunnelChanged(): void {
    const { tunnel, onShut } = this.#options;
    if (tunnel.isUp && !this.#probing) {
      this.#probing = new AbortController();
      void this.#probeUntilPassed(this.#probing.signal);
    } else if (!tunnel.isUp) {
      this.#probing?.abort();
      this.#probing = undefined;
      const wasKnown = this.#probe.probe !== 'waiting';
      this.#change({ probe: 'waiting' });
      if (wasKnown) onShut();
    }
  }

  async #probeUntilPassed(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      if (attempt === 0) this.#change({ probe: 'running' });
      const problem = await this.#options.probe(signal);
      if (signal.aborted) return;
      if (problem === undefined) {
        this.#change({ probe: 'passed' });
        return;
      }
      if (this.#probe.problem !== problem) this.#change({ probe: 'failed', problem });
      await delay(probePausesMs[attempt] ?? probePausesMs.at(-1), undefined, { signal }).catch(() => {});
    }
  }

  #change(probe: Pick<GateState, 'probe' | 'problem'>): void {
    this.#probe = probe;
    this.#since = new Date();
    this.#options.logger.info(this.state, this.isOpen ? 'open' : 'shut');
    for (const listener of this.#listeners) listener();
  }
}

/** One sentence for people. */
export function describe({ tunnel, detail, probe, problem }: GateState): string {
  if (tunnel !== 'CONNECTED') return `the tunnel is not up: ${tunnel}${detail ? `, ${detail}` : ''}`;
  return `the tunnel is up, but the server is not reached: ${problem ?? `the probe is ${probe}`}`;
}
