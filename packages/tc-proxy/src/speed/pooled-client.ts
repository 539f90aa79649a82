import type { Duplex } from 'node:stream';
import { Client, type Dispatcher, errors } from 'undici';
import type { HeadDeadline } from './head-deadline.ts';

type Handler = Dispatcher.DispatchHandler;
type Request = Dispatcher.DispatchOptions;
type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Handler['onResponseEnd']>>[1];

export interface PooledClientOptions extends Client.Options {
  deadline: HeadDeadline;
  /** Called when the client can carry another request. */
  onFree: (client: PooledClient) => void;
}

const none: Handler = {};

/** One connection to an origin, made anew when it has closed, and the request on it. */
export class PooledClient implements Handler {
  readonly client: Client;
  /** When the request was sent whose answer has not begun (of `performance.now`); 0: there is none. */
  waitingSince = 0;
  readonly #deadline: HeadDeadline;
  readonly #onFree: (client: PooledClient) => void;
  #handler: Handler = none;
  #isWatched = false;
  #controller: Controller | undefined;

  constructor(origin: string | URL, { deadline, onFree, ...options }: PooledClientOptions) {
    this.client = new Client(origin, { ...options, pipelining: 1, headersTimeout: 0 });
    this.#deadline = deadline;
    this.#onFree = onFree;
  }

  carry(request: Request, handler: Handler): void {
    this.#handler = handler;
    const { body } = request;
    this.#isWatched = body === null || body === undefined || Buffer.isBuffer(body);
    // While a body is on its way undici knows best whose turn it is.
    const sent = this.#isWatched ? request : { ...request, headersTimeout: this.#deadline.timeoutMs };
    this.client.dispatch(sent, this);
  }

  /** Ends the request, whose answer takes too long. */
  timeOut(): void {
    this.#controller?.abort(new errors.HeadersTimeoutError());
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#controller = controller;
    if (this.#isWatched) this.#deadline.begin(this);
    this.#handler.onRequestStart?.(controller, context);
  }

  onResponseStart(controller: Controller, status: number, headers: Headers, reason?: string): void {
    if (status >= 200) this.waitingSince = 0;
    this.#handler.onResponseStart?.(controller, status, headers, reason);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk);
  }

  /** The next request goes out right behind this one: nothing can have gone wrong with the connection in between. */
  onResponseEnd(controller: Controller, trailers: Headers): void {
    this.#end().onResponseEnd?.(controller, trailers);
    this.#onFree(this);
  }

  onRequestUpgrade(controller: Controller, status: number, headers: Headers, socket: Duplex): void {
    this.#leave().onRequestUpgrade?.(controller, status, headers, socket);
  }

  onResponseError(controller: Controller, error: Error): void {
    this.#leave().onResponseError?.(controller, error);
  }

  /** Free later: undici is not done with the connection yet, and expects no new request on it. */
  #leave(): Handler {
    queueMicrotask(() => this.#onFree(this));
    return this.#end();
  }

  /** Lets go of the request, which may be the last for long. */
  #end(): Handler {
    const handler = this.#handler;
    this.#handler = none;
    this.#controller = undefined;
    this.waitingSince = 0;
    return handler;
  }
}
