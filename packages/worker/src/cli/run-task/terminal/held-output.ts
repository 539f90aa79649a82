import { once } from 'node:events';
import { Writable } from 'node:stream';

/** Passes on what it gets, except while it is held: then its writers wait. Once its reader is gone it takes all and keeps none. */
export class HeldOutput extends Writable {
  readonly #target: Writable;
  #released: Promise<void> = Promise.resolve();
  #isLost = false;

  /** @param onLost is told when nobody reads any more */
  constructor(target: Writable, onLost: () => void = () => {}) {
    super();
    this.#target = target;
    target.once('error', () => {
      this.#isLost = true;
      onLost();
    });
  }

  /** Holds everything back until what it returns is disposed of. */
  hold(): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#released = promise;
    return { [Symbol.dispose]: resolve };
  }

  override async _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): Promise<void> {
    await this.#released;
    if (!this.#isLost && !this.#target.write(chunk)) {
      // Rejects when the reader goes away; then there is nothing to wait for.
      await once(this.#target, 'drain').catch(() => {});
    }
    done();
  }
}
