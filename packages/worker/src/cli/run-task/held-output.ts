import { once } from 'node:events';
import { Writable } from 'node:stream';

/** Passes on what it gets, except while it is held: then its writers wait. */
export class HeldOutput extends Writable {
  readonly #target: Writable;
  #released: Promise<void> = Promise.resolve();

  constructor(target: Writable) {
    super();
    this.#target = target;
  }

  /** Holds everything back until what it returns is disposed of. */
  hold(): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#released = promise;
    return { [Symbol.dispose]: resolve };
  }

  override async _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): Promise<void> {
    await this.#released;
    if (!this.#target.write(chunk)) {
      await once(this.#target, 'drain');
    }
    done();
  }
}
