import { once } from 'node:events';

/** The result of `work`, or a rejection with the signal's reason as soon as it aborts. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // Whoever is told of the abort does not hear of a failure that comes after it.
  work.catch(() => {});
  signal.throwIfAborted();
  const settled = new AbortController();
  try {
    return await Promise.race([
      work,
      once(signal, 'abort', { signal: settled.signal }).then(() => Promise.reject(signal.reason as Error)),
    ]);
  } finally {
    settled.abort();
  }
}
