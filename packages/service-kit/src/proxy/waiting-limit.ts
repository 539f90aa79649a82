import type { Dispatcher } from 'undici';

/** No connection to the upstream has become free for the request. */
export class UpstreamBusyError extends Error {
  readonly code = 'UPSTREAM_BUSY';
  constructor() {
    super('no connection to the upstream has become free in time');
  }
}

export interface WaitingLimits {
  /** Most requests that wait for a connection at a time; further ones fail at once. */
  requests: number;
  /** Milliseconds that each of them waits at most, the making of a connection included. */
  ms: number;
}

export const waitingLimits: WaitingLimits = { requests: 1_024, ms: 30_000 };

/** An interceptor that bounds how many requests wait for their turn at the connections, and for how long. */
export function boundWaiting(limits: WaitingLimits): Dispatcher.DispatcherComposeInterceptor {
  let waiting = 0;
  return (dispatch) => (request, handler) => {
    if (waiting >= limits.requests) {
      queueMicrotask(() => handler.onResponseError?.(neverStarted, new UpstreamBusyError()));
      return false;
    }
    waiting += 1;
    return dispatch(request, new WaitingHandler(handler, limits.ms, () => (waiting -= 1)));
  };
}

/** There is nothing to control of a request that was not sent. */
const neverStarted = {} as Dispatcher.DispatchController;

class WaitingHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #onTurn: () => void;
  readonly #timer: NodeJS.Timeout;
  #isWaiting = true;
  #isLate = false;

  constructor(handler: Dispatcher.DispatchHandler, ms: number, onTurn: () => void) {
    this.#handler = handler;
    this.#onTurn = onTurn;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#stopWaiting();
      handler.onResponseError?.(neverStarted, new UpstreamBusyError());
    }, ms);
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#stopWaiting();
    if (this.#isLate) controller.abort(new UpstreamBusyError());
    else this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...parts: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#handler.onRequestUpgrade?.(...parts);
  }

  onResponseStart(...parts: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    this.#handler.onResponseStart?.(...parts);
  }

  onResponseData(...parts: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseData']>>): void {
    this.#handler.onResponseData?.(...parts);
  }

  onResponseEnd(...parts: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#handler.onResponseEnd?.(...parts);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#stopWaiting();
    if (!this.#isLate) this.#handler.onResponseError?.(controller, error);
  }

  #stopWaiting(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    clearTimeout(this.#timer);
    this.#onTurn();
  }
}
