import { mayPass, retry } from '../async/retry.ts';
import { unlessAborted } from '../async/unless-aborted.ts';

export interface UntilAnsweredOptions {
  /** Ends the wait; without one, ten attempts do. */
  signal: AbortSignal | undefined;
  /** Before each pause. */
  onRetry?(error: Error): void;
}

/**
 * The answer of a service of Taskcluster to a call that may be made again and again: it is, for as long as nobody answers
 * but what stands in front of the service.
 */
export async function untilAnswered(
  call: () => Promise<unknown>,
  { signal, onRetry }: UntilAnsweredOptions,
): Promise<unknown> {
  return await retry(
    async () => {
      const answer = await (signal === undefined ? call() : unlessAborted(signal, call()));
      if (answer === undefined) {
        throw new ForeignAnswer();
      }
      return answer;
    },
    {
      ...{ maxAttempts: signal === undefined ? 10 : Number.POSITIVE_INFINITY, delayFactor: 500 },
      ...{ longestDelay: 10_000, signal, onRetry },
      mayPass: (error) => mayPass(error) || isForeign(error),
    },
  );
}

/** Whether an error is not the service's own, which tells of itself in JSON: that of a proxy, a login page. */
export function isForeign(error: unknown): boolean {
  const { statusCode, body } = (error ?? {}) as { statusCode?: unknown; body?: unknown };
  return typeof statusCode === 'number' && typeof body === 'string';
}

/** Something else than what was asked has answered, as if all were well. */
export class ForeignAnswer extends Error {
  /** As of a gateway whose server does not answer. */
  readonly statusCode = 502;

  constructor() {
    super('something else has answered, with a page');
    this.name = 'ForeignAnswer';
  }
}
