import { setTimeout } from 'node:timers/promises';
import { connectEngine, type Engine } from '../../engine/engine.ts';

/** For the questions to leave; the event loop does not turn while modules are loaded. An engine may take longer. */
const askingMs = 3;

/** A connection to the Docker Engine that is begun before all that will use it is loaded; that may turn out not to be needed. */
export class EngineConnection implements AsyncDisposable {
  readonly #unwanted = new AbortController();
  #engine: Promise<Engine> | undefined;

  /** Begins it, and asks the engine, which answers while the caller goes on. */
  async begin(): Promise<void> {
    await Promise.race([this.connect().catch(() => {}), setTimeout(askingMs)]);
  }

  /** Begins it, once; whoever waits for it is told why there is none. */
  connect(): Promise<Engine> {
    if (this.#engine === undefined) {
      this.#engine = connectEngine(undefined, this.#unwanted.signal);
      this.#engine.catch(() => {});
    }
    return this.#engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwanted.abort(new Error('the connection to the Docker Engine is not wanted any more'));
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.[Symbol.asyncDispose]();
  }
}
