/** Calls `listener` when a signal is aborted, at once if it is; not any more when `until` is aborted before. */
export function whenAborted(signal: AbortSignal, listener: () => void, until?: AbortSignal): void {
  if (signal.aborted) {
    listener();
  } else {
    signal.addEventListener('abort', listener, { once: true, signal: until });
  }
}
