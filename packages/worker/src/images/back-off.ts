import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerConfig } from '../config/config.ts';

/** Milliseconds. */
const longestDelay = 60_000;

/** How often fetching is tried, and how long after a failure; see `dockerConfig`. */
export type BackOff = Pick<
  WorkerConfig['dockerConfig'],
  'maxAttempts' | 'delayFactor' | 'randomizationFactor'
>;

export interface Trying {
  signal?: AbortSignal;
  /** Whether the same could succeed later. */
  mayPass(error: unknown): boolean;
  /** Before each pause. */
  onRetry?(error: Error, pauseMs: number): void;
}

/** Repeats `attempt` while it fails with an error that may pass. The last error is thrown as it is. */
export async function withBackOff<T>(
  attempt: () => Promise<T>,
  { maxAttempts, delayFactor, randomizationFactor }: BackOff,
  { signal, mayPass, onRetry }: Trying,
): Promise<T> {
  for (let made = 1; ; made += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (made >= maxAttempts || !mayPass(error)) {
        throw error;
      }
      const jitter = 1 + randomizationFactor * (2 * Math.random() - 1);
      const pause = Math.round(Math.min(longestDelay, delayFactor * 2 ** (made - 1)) * jitter);
      onRetry?.(error as Error, pause);
      await delay(pause, undefined, { signal });
    }
  }
}
