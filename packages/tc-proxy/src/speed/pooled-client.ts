import type { Duplex } from 'node:stream';
import { Client, type Dispatcher } from 'undici';

type Handler = Dispatcher.DispatchHandler;
type Request = Dispatcher.DispatchOptions;
type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Handler['onResponseEnd']>>[1];

export interface PooledClientOptions extends Client.Options {
  /** Called when the client can carry another request. */
  onFree: (client: PooledClient) => void;
}

const none: Handler = {};

/** One connection to an origin, made anew when it has closed, and the request on it. */
export class PooledClient implements Handler {
  readonly client: Client;
  readonly #onFree: (client: PooledClient) => void;
  #handler: Handler = none;

  constructor(origin: string | URL, { onFree, ...options }: PooledClientOptions) {
    this.client = new Client(origin, { ...options, pipelining: 1 });
    this.#onFree = onFree;
  }

  carry(request: Request, handler: Handler): void {
    this.#handler = handler;
    this.client.dispatch(request, this);
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context);
  }

  onResponseStart(controller: Controller, status: number, headers: Headers, reason?: string): void {
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
    return handler;
  }
}
