import { connectEngine, type Engine } from '../../engine/engine.ts';

/** A connection to the Docker Engine that is begun before all that will use it is loaded; that may turn out not to be needed. */
export class EngineConnection implements AsyncDisposable {
  readonly #unwanted = new AbortController();
  #engine: Promise<Engine> | undefined;

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
