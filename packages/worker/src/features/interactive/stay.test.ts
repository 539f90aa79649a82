import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Stay } from './stay.ts';

beforeEach(() => {
  jest.useFakeTimers({ now: Date.parse('2030-01-01T00:00:00Z') });
});
afterEach(() => {
  jest.useRealTimers();
});

test('a container stays for minTime, counted from its start', () => {
  using staying = stay();
  staying.started();
  pass(100);
  staying.commandEnded('3');
  expect(staying.news).toEqual([
    'The command has ended with exit code 3. The container stays until 2030-01-01 00:03:00.000Z for people who log in.',
  ]);
  pass(79);
  expect(staying.isOver()).toBe(false);
  pass(1);
  expect(staying.isOver()).toBe(true);
});

test('one whose command has taken longer ends with it', () => {
  using staying = stay();
  staying.started();
  pass(180);
  expect(staying.isOver()).toBe(false);
  staying.commandEnded('0');

  expect(staying.isOver()).toBe(true);
  expect(staying.news).toEqual([]);
});

test('it stays while anybody is connected, and for a time after the last has left', () => {
  using staying = stay();
  staying.started();
  staying.connected(1);
  staying.connected(2);
  staying.commandEnded('0');
  pass(10_000);
  staying.connected(1);
  pass(10_000);
  staying.connected(0);
  pass(899);
  expect(staying.isOver()).toBe(false);
  pass(1);

  expect(staying.isOver()).toBe(true);
  expect(staying.news).toEqual([
    'The command has ended with exit code 0. The container stays while somebody is connected, and 900 seconds longer.',
    'Nobody is connected any more; the container stays until 2030-01-01 05:48:20.000Z.',
  ]);
});

test('who comes back is waited for again', () => {
  using staying = stay();
  staying.started();
  staying.commandEnded('0');
  staying.connected(1);
  staying.connected(0);
  pass(800);
  staying.connected(1);
  pass(800);
  staying.connected(0);
  pass(899);
  expect(staying.isOver()).toBe(false);
  pass(1);
  expect(staying.isOver()).toBe(true);
});

test('who has left while the command ran is waited for as well', () => {
  using staying = stay();
  staying.started();
  staying.connected(1);
  pass(500);
  staying.connected(0);
  pass(400);
  staying.commandEnded('0');
  pass(499);
  expect(staying.isOver()).toBe(false);
  pass(1);
  expect(staying.isOver()).toBe(true);
});

test('an early visit does not shorten minTime', () => {
  using staying = stay({ expirationAfterSession: 1 });
  staying.started();
  staying.connected(1);
  staying.connected(0);
  staying.commandEnded('0');
  pass(179);
  expect(staying.isOver()).toBe(false);
  pass(1);
  expect(staying.isOver()).toBe(true);
});

test('it is cut short only when the command has ended', () => {
  using staying = stay();
  staying.started();
  staying.connected(1);
  expect(staying.cutShort('now')).toBe(false);
  expect(staying.isOver()).toBe(false);
  staying.commandEnded('0');
  expect(staying.cutShort('now')).toBe(true);

  expect(staying.isOver()).toBe(true);
  expect(staying.news.at(-1)).toBe('now');
  staying.connected(0);
  expect(staying.news.at(-1)).toBe('now');
});

test('who needs no more ends it, unless somebody else is there', () => {
  using staying = stay();
  staying.started();
  staying.commandEnded('0');
  staying.connected(2);
  staying.leave();
  staying.connected(1);
  expect(staying.isOver()).toBe(false);
  staying.connected(0);
  expect(staying.isOver()).toBe(true);
});

test('the end comes once, and not after disposal', () => {
  const staying = stay();
  staying.started();
  staying.commandEnded('0');
  staying[Symbol.dispose]();
  pass(10_000);
  expect(staying.isOver()).toBe(false);
  expect(jest.getTimerCount()).toBe(0);
});

function pass(seconds: number): void {
  jest.advanceTimersByTime(seconds * 1000);
}

function stay(settings: { expirationAfterSession?: number } = {}) {
  const news: string[] = [];
  let over = 0;
  const made = new Stay({
    minTime: 180,
    expirationAfterSession: 900,
    ...settings,
    onNews: (text) => news.push(text),
    onOver: () => {
      over += 1;
    },
  });
  return Object.assign(made, {
    news,
    isOver() {
      expect(over).toBeLessThan(2);
      return over === 1;
    },
  });
}
