/** When a request is sent again, and for how long. */
export interface RetryPolicy {
  /** Milliseconds from the first attempt in which another one may begin; 0 sends each request once. */
  deadlineMs: number;
  /** Repeats POST, PATCH and the like as well, which the upstream may then carry out twice. */
  anyMethod: boolean;
  /** Milliseconds before the second attempt, doubled for each further one. */
  firstPauseMs?: number;
}

const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE', 'PROPFIND', 'QUERY']);

const defaultFirstPauseMs = 250;
const longestPauseMs = 10_000;

export function mayRepeat(method: string, { deadlineMs, anyMethod }: RetryPolicy): boolean {
  return deadlineMs > 0 && (anyMethod || idempotentMethods.has(method));
}

/** The upstream is in trouble, or asks for patience. */
export function isPassingStatus(status: number): boolean {
  return status >= 500 || status === 429;
}

const passingErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * The network failed in a way that may pass. Rejected certificates and answers that are no HTTP stay as they
 * are, and an upstream that took the request and did not answer in time would do the same again.
 */
export function isPassingError(error: Error & { code?: unknown; errors?: unknown[] }): boolean {
  if (typeof error.code === 'string' && error.code !== '') return passingErrors.has(error.code);
  const first = error.errors?.[0];
  return first instanceof Error && isPassingError(first);
}

export interface PauseOptions {
  /** Attempts made so far. */
  attempts: number;
  /** Milliseconds since the first of them began. */
  elapsedMs: number;
  /** Value of the answer's `Retry-After`. */
  retryAfter?: string;
}

/** Milliseconds to wait before the next attempt; undefined when there is no time for one. */
export function retryPause(
  { deadlineMs, firstPauseMs = defaultFirstPauseMs }: RetryPolicy,
  { attempts, elapsedMs, retryAfter }: PauseOptions,
): number | undefined {
  const longest = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs);
  // Spread out, so that many clients of a struggling upstream do not all come back at once.
  const pause = longest * (0.5 + Math.random() / 2);
  const atLeast = retryAfter === undefined ? 0 : retryAfterMs(retryAfter);
  const chosen = Math.max(pause, atLeast);
  return elapsedMs + chosen < deadlineMs ? chosen : undefined;
}

/** Seconds or an HTTP date; anything else says nothing. */
function retryAfterMs(value: string): number {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const time = Date.parse(value);
  return Number.isNaN(time) ? 0 : Math.max(0, time - Date.now());
}
