import type { Gauge } from '@docker-worker/service-kit';

/** Anything that occupies a place until it has ended. */
export interface Session {
  /** Tells the client that the server goes away and ends the session. */
  shutDown(): void;
  /** Settles when its processes are gone. */
  ended: Promise<void>;
}

export const tooManySessions = 'Too many sessions active!';

/** The sessions of the server, at most so many at once. */
export class Sessions {
  readonly #places: number;
  readonly #gauge: Gauge | undefined;
  readonly #open = new Set<Session>();
  #taken = 0;

  constructor(places: number, gauge?: Gauge) {
    this.#places = places;
    this.#gauge = gauge;
  }

  get count(): number {
    return this.#taken;
  }

  /** Takes a place before anything is started for the session; `undefined` when none is free. */
  reserve(): Disposable | undefined {
    if (this.#taken >= this.#places) {
      return undefined;
    }
    this.#taken += 1;
    this.#gauge?.set(this.#taken);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        this.#taken -= isHeld ? 1 : 0;
        isHeld = false;
        this.#gauge?.set(this.#taken);
      },
    };
  }

  /** A session that holds its place until it has ended. */
  add(session: Session, place: Disposable): void {
    this.#open.add(session);
    void session.ended.finally(() => {
      this.#open.delete(session);
      place[Symbol.dispose]();
    });
  }

  /** Ends all; settles when their processes are gone. */
  async shutDown(): Promise<void> {
    const open = [...this.#open];
    for (const session of open) {
      session.shutDown();
    }
    await Promise.all(open.map(({ ended }) => ended));
  }
}
