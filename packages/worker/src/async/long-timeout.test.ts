import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { longestTimerMs, longTimeout } from './long-timeout.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test.each([0, 5, longestTimerMs, longestTimerMs + 1, 3_000_000_000, 10 * longestTimerMs])(
  'a wait of %d ms takes as long as that',
  (ms) => {
    let called = 0;
    using _ = longTimeout(() => called++, ms);

    for (let rest = ms - 1; rest > 0; rest -= longestTimerMs) {
      jest.advanceTimersByTime(Math.min(rest, longestTimerMs));
    }
    expect(called).toBe(0);
    jest.advanceTimersByTime(1);
    expect(called).toBe(1);
  },
);

test('nobody is called after disposal, in the middle of a long wait either', () => {
  let called = 0;
  const timeout = longTimeout(() => called++, 3 * longestTimerMs);
  jest.advanceTimersByTime(longestTimerMs);

  timeout[Symbol.dispose]();

  jest.advanceTimersByTime(longestTimerMs);
  jest.advanceTimersByTime(longestTimerMs);
  expect(called).toBe(0);
});
