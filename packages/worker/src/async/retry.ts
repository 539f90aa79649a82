import { setTimeout as delay } from 'node:timers/promises';

/** How often something is tried in all, and how long after a failure. */
export interface RetryLimits {
  /** Default 10. */
  maxAttempts?: number;
  /** Milliseconds before the second attempt, doubled before each further one; default 250. */
  delayFactor?: number;
  /** Milliseconds; default 60 000. */
  longestDelay?: number;
  /** By what part a pause is longer or shorter at random; default 0.25. */
  randomizationFactor?: number;
}

export interface RetryOptions extends RetryLimits {
  signal?: AbortSignal;
  /** Tries on for as long as the other side cannot be reached; such attempts do not count. Needs a signal that ends it. */
  untilReached?: boolean;
  /** Whether the same could succeed later; default: {@link mayPass}. */
  mayPass?(error: unknown): boolean;
  /** Before each pause. */
  onRetry?(error: Error, pauseMs: number): void;
}

/** Repeats `attempt` while it fails with an error that may pass. The last error is thrown as it is. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { maxAttempts = 10, delayFactor = 250, longestDelay = 60_000, randomizationFactor = 0.25 } = options;
  const { signal, onRetry } = options;
  for (let made = 1; ; made += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const counts = !(options.untilReached && isUnreachable(error));
      if ((counts && made >= maxAttempts) || !(options.mayPass ?? mayPass)(error)) {
        throw error;
      }
      const jitter = 1 + randomizationFactor * (2 * Math.random() - 1);
      const pause = Math.round(Math.min(longestDelay, delayFactor * 2 ** (made - 1)) * jitter);
      onRetry?.(error as Error, pause);
      await delay(pause, undefined, { signal });
    }
  }
}

const unreachable = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const networkErrors = new Set([
  ...unreachable,
  // Another connection may be closed meanwhile.
  'EMFILE',
  'ENFILE',
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** There was nobody to connect to. */
function isUnreachable(error: unknown): boolean {
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown };
  return typeof statusCode !== 'number' && typeof code === 'string' && unreachable.has(code);
}

/** Network errors, and the answers of a server that is overloaded or broken. */
export function mayPass(error: unknown): boolean {
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode === 'number') {
    return statusCode >= 500 || statusCode === 429 || statusCode === 408;
  }
  return typeof code === 'string' && networkErrors.has(code);
}
