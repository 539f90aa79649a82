import { unlessAborted } from './unless-aborted.ts';

export interface Participation<Event> {
  /** Told of what happens from now on. */
  onEvent?(event: Event): void;
  /** Ends the wait; the operation goes on as long as somebody else waits. */
  signal?: AbortSignal;
}

interface Underway<Event, Result> {
  result: Promise<Result>;
  waiting: Set<Participation<Event>>;
  abandoned: AbortController;
}

/** Operations by what they are for: whoever wants the same while one is under way takes part in it. */
export class SharedOperations<Event, Result> {
  readonly #underway = new Map<string, Underway<Event, Result>>();

  /**
   * @param start begins the operation if there is none; its signal aborts when nobody waits any more
   */
  async join(
    key: string,
    start: (tell: (event: Event) => void, signal: AbortSignal) => Promise<Result>,
    participation: Participation<Event>,
  ): Promise<Result> {
    participation.signal?.throwIfAborted();
    const operation = this.#underway.get(key) ?? this.#start(key, start, participation);
    operation.waiting.add(participation);
    try {
      const { signal } = participation;
      return await (signal === undefined ? operation.result : unlessAborted(signal, operation.result));
    } finally {
      operation.waiting.delete(participation);
      if (operation.waiting.size === 0) {
        this.#forget(key, operation);
        operation.abandoned.abort(new Error('nobody wants it any more'));
      }
    }
  }

  #start(
    key: string,
    start: (tell: (event: Event) => void, signal: AbortSignal) => Promise<Result>,
    first: Participation<Event>,
  ): Underway<Event, Result> {
    // Taking part before it begins, so that its first event is heard.
    const waiting = new Set([first]);
    const abandoned = new AbortController();
    const tell = (event: Event) => {
      for (const { onEvent } of waiting) {
        onEvent?.(event);
      }
    };
    const operation = { waiting, abandoned, result: start(tell, abandoned.signal) };
    this.#underway.set(key, operation);
    const forget = () => this.#forget(key, operation);
    operation.result.then(forget, forget);
    return operation;
  }

  #forget(key: string, operation: Underway<Event, Result>): void {
    if (this.#underway.get(key) === operation) {
      this.#underway.delete(key);
    }
  }
}
