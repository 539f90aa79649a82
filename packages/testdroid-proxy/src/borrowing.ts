import type { Logger } from '@docker-worker/service-kit';
import { type AcquireOptions, acquire, type Borrowed } from './acquire.ts';
import type { DeviceSession, DeviceSessions } from './cloud/device-sessions.ts';
import type { Capabilities } from './cloud/devices.ts';
import type { SessionEvent } from './session-events.ts';

export interface BorrowingOptions {
  acquire: Omit<AcquireOptions, 'onStep' | 'onOpened' | 'release'>;
  sessions: DeviceSessions;
  /** Seconds after which a phone is given back, whoever has it. */
  deviceTimeout: number;
  logger: Logger;
  /** Told of every session when it begins and when it has ended. */
  onSession(event: SessionEvent): void;
}

/** What there is at the moment, as `GET /device` shows it. */
export type DeviceState =
  | { state: 'none'; error?: string }
  | { state: 'acquiring'; step: string; since: string }
  | ({ state: 'held'; since: string; until: string } & Borrowed);

/** Time for one request that gives a phone back, and how often it is made. */
const releaseMs = 3_000;
const releaseTries = 3;

/** One phone at a time: borrowed, held and given back, by its holder or when its time is over. */
export class Borrowing {
  readonly #options: BorrowingOptions;
  readonly #open = new Map<number, DeviceSession>();
  #state: DeviceState = { state: 'none' };
  #acquisition: { settled: Promise<unknown>; abort: AbortController } | undefined;
  #lease: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: BorrowingOptions) {
    this.#options = options;
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** True while no other phone can be asked for. */
  get isTaken(): boolean {
    return this.#closed || this.#state.state !== 'none' || this.#open.size > 0;
  }

  /**
   * Begins to borrow a phone, when nothing {@link isTaken}.
   *
   * @returns a promise of the phone, which rejects with a CloudError, or with the reason of the abort
   */
  borrow(capabilities: Capabilities): Promise<Borrowed> {
    const abort = new AbortController();
    const since = new Date().toISOString();
    this.#state = { state: 'acquiring', step: 'beginning', since };
    const borrowed = acquire(
      capabilities,
      {
        ...this.#options.acquire,
        onStep: (step) => {
          this.#options.logger.info({ step }, 'borrowing a device');
          this.#state = { state: 'acquiring', step, since };
        },
        onOpened: (session) => this.#opened(session),
        release: (session) => this.#release(session).then(() => {}),
      },
      abort.signal,
    ).then(
      (phone) => {
        this.#hold(phone);
        return phone;
      },
      (error: Error) => {
        this.#state = { state: 'none', error: error.message };
        throw error;
      },
    );
    const settled = borrowed
      .catch(() => {})
      .finally(() => {
        this.#acquisition = undefined;
      });
    this.#acquisition = { settled, abort };
    return borrowed;
  }

  /** Stops a borrowing that is under way; it leaves no session. */
  cancel(reason: string): void {
    this.#acquisition?.abort.abort(new Error(reason));
  }

  /**
   * Gives the phone back, or ends its borrowing; returns whether there was anything to end.
   *
   * @throws Error when the cloud could not be told; the session is then tried again at the next call
   */
  async release(): Promise<boolean> {
    const hadAny = this.#acquisition !== undefined || this.#open.size > 0;
    this.cancel('the device was released');
    await this.#acquisition?.settled;
    const outcomes = await Promise.all([...this.#open.values()].map((session) => this.#release(session)));
    if (!outcomes.every(Boolean)) throw new Error('the cloud could not be told that the device is free');
    return hadAny;
  }

  /** Nothing is lent from now on, and what is lent is given back as far as the cloud lets it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.release().catch((error: Error) =>
      this.#options.logger.error({ err: error }, 'a device could not be given back'),
    );
    clearTimeout(this.#lease);
  }

  #opened(session: DeviceSession): void {
    const { deviceTimeout, onSession } = this.#options;
    this.#open.set(session.id, session);
    const expires = new Date(Date.now() + deviceTimeout * 1000).toISOString();
    onSession({ event: 'session-opened', sessionId: session.id, expires });
  }

  #hold(phone: Borrowed): void {
    const { deviceTimeout, logger } = this.#options;
    const now = Date.now();
    this.#state = {
      state: 'held',
      since: new Date(now).toISOString(),
      until: new Date(now + deviceTimeout * 1000).toISOString(),
      ...phone,
    };
    this.#lease = setTimeout(() => {
      logger.warn({ session: phone.session.id }, 'the time of the device is over');
      this.release().catch((error: Error) =>
        logger.error({ err: error }, 'a device could not be given back'),
      );
    }, deviceTimeout * 1000);
  }

  /** Never rejects; returns whether the session is over. */
  async #release(session: DeviceSession): Promise<boolean> {
    const { sessions, logger, onSession } = this.#options;
    for (let made = 1; made <= releaseTries && this.#open.has(session.id); made++) {
      try {
        await sessions.release(session.id, AbortSignal.timeout(releaseMs));
        this.#open.delete(session.id);
        onSession({ event: 'session-released', sessionId: session.id });
      } catch (error) {
        logger.warn({ err: error, session: session.id }, 'a device could not be given back yet');
      }
    }
    const isOver = !this.#open.has(session.id);
    if (isOver && this.#state.state === 'held' && this.#state.session.id === session.id) {
      clearTimeout(this.#lease);
      this.#state = { state: 'none' };
    }
    return isOver;
  }
}
