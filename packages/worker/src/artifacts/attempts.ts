import { setTimeout as delay } from 'node:timers/promises';

export interface AttemptLimits {
  /** How often it is tried in all; default 10. */
  attempts?: number;
  /** Milliseconds before the second attempt, doubled before each further one; default 250. */
  firstDelay?: number;
  /** Milliseconds; default 30 000. */
  longestDelay?: number;
  /** Told of the error before each further attempt. */
  onRetry?(error: unknown): void;
}

/** Repeats `attempt` while it fails with an error that may pass. The last error is thrown as it is. */
export async function withAttempts<T>(
  attempt: () => Promise<T>,
  { attempts = 10, firstDelay = 250, longestDelay = 30_000, onRetry }: AttemptLimits,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let made = 1; ; made += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (made >= attempts || !mayPass(error)) {
        throw error;
      }
      onRetry?.(error);
    }
    const pause = Math.min(longestDelay, firstDelay * 2 ** (made - 1));
    await delay(pause * (0.75 + Math.random() / 2), undefined, { signal });
  }
}

const networkErrors = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** Network errors, and the answers of a server that is overloaded or broken. */
export function mayPass(error: unknown): boolean {
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode === 'number') {
    return statusCode >= 500 || statusCode === 429 || statusCode === 408;
  }
  return typeof code === 'string' && networkErrors.has(code);
}
