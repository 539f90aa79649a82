import { UpstreamBusyError, type WaitingLimits, waitingLimits } from '@docker-worker/service-kit';
import { type Client, Dispatcher } from 'undici';
import { PooledClient } from './pooled-client.ts';

type Handler = Dispatcher.DispatchHandler;
type Request = Dispatcher.DispatchOptions;

export interface LifoPoolOptions extends Client.Options {
  /** Most connections at a time. */
  connections: number;
  /** Default: `waitingLimits`. */
  waiting?: WaitingLimits;
}

interface Waiting {
  request: Request;
  handler: Handler;
  /** Of `performance.now`. */
  since: number;
}

/** There is nothing to control of a request that was not sent. */
const neverStarted = {} as Dispatcher.DispatchController;

/**
 * Connections to one origin, up to a limit, each with one request at a time. The one used last is used first, which
 * keeps few of them busy and lets the others time out; when all are busy, requests wait in their order.
 *
 * In place of undici's `Pool`, alone or below an `Agent` whose `factory` makes it. A `Pool` goes through its connections from
 * the first one on, twice for each request, and lets each rest for a turn of the event loop after its answer.
 */
export class LifoPool extends Dispatcher {
  readonly #clients: PooledClient[] = [];
  readonly #free: PooledClient[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #waitingLimits: WaitingLimits;
  #timer: NodeJS.Timeout | undefined;
  readonly #limit: number;
  readonly #newClient: () => PooledClient;
  #onNoneWaiting: (() => void) | undefined;

  constructor(origin: string | URL, { connections, waiting, ...options }: LifoPoolOptions) {
    super();
    this.#waitingLimits = waiting ?? waitingLimits;
    this.#limit = connections;
    this.#newClient = () => new PooledClient(origin, { ...options, onFree: (client) => this.#next(client) });
  }

  override dispatch(request: Request, handler: Handler): boolean {
    const client = this.#free.pop() ?? this.#addClient();
    if (client) client.carry(request, handler);
    else this.#wait(request, handler);
    return true;
  }

  /** Resolves when all requests taken so far have been answered. */
  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | void {
    const closed = this.#close();
    if (!callback) return closed;
    void closed.then(callback);
  }

  override destroy(error?: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> | void {
    const reason = error instanceof Error ? error : new Error('the connections are closed');
    const done = typeof error === 'function' ? error : callback;
    for (const { handler } of this.#waiting.splice(0)) handler.onResponseError?.(neverStarted, reason);
    const destroyed = Promise.all(this.#clients.map(({ client }) => client.destroy(reason))).then(() => {});
    if (!done) return destroyed;
    void destroyed.then(done);
  }

  async #close(): Promise<void> {
    if (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onNoneWaiting = resolve;
      });
    }
    await Promise.all(this.#clients.map(({ client }) => client.close()));
  }

  #addClient(): PooledClient | undefined {
    if (this.#clients.length === this.#limit) return undefined;
    const client = this.#newClient();
    this.#clients.push(client);
    // An `Agent` counts connections by these, and lets go of origins without any.
    client.client
      .on('connect', (origin, targets) => this.emit('connect', origin, [this, ...targets]))
      .on('disconnect', (origin, targets, error) =>
        this.emit('disconnect', origin, [this, ...targets], error),
      )
      .on('connectionError', (origin, targets, error) =>
        this.emit('connectionError', origin, [this, ...targets], error),
      );
    return client;
  }

  #wait(request: Request, handler: Handler): void {
    const { requests, ms } = this.#waitingLimits;
    if (this.#waiting.length >= requests) {
      queueMicrotask(() => handler.onResponseError?.(neverStarted, new UpstreamBusyError()));
      return;
    }
    this.#waiting.push({ request, handler, since: performance.now() });
    this.#timer ??= setTimeout(() => this.#endLongWaits(), ms).unref();
  }

  /** All may wait equally long, so the first in the line is the first whose time is over. */
  #endLongWaits(): void {
    const { ms } = this.#waitingLimits;
    const isOver = ({ since }: Waiting) => performance.now() - since >= ms;
    for (let first = this.#waiting[0]; first && isOver(first); first = this.#waiting[0]) {
      this.#waiting.shift();
      first.handler.onResponseError?.(neverStarted, new UpstreamBusyError());
    }
    const [first] = this.#waiting;
    const left = first && ms - (performance.now() - first.since);
    this.#timer = left === undefined ? undefined : setTimeout(() => this.#endLongWaits(), left).unref();
  }

  #next(client: PooledClient): void {
    const waiting = this.#waiting.shift();
    if (waiting) client.carry(waiting.request, waiting.handler);
    else this.#free.push(client);
    if (this.#waiting.length === 0) this.#onNoneWaiting?.();
  }
}
