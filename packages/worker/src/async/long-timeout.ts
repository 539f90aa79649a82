/** What a timer can hold; a longer one would go off at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Calls back after any time, however long; not after it is disposed of. */
export function longTimeout(callback: () => void, ms: number): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const wait = (rest: number) => {
    const part = Math.min(rest, longestTimerMs);
    timer = setTimeout(() => (rest > part ? wait(rest - part) : callback()), part);
  };
  wait(ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
