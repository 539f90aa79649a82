import { expect, test } from '@jest/globals';
import { Scrollback } from '../session/scrollback.ts';
import { isAllowedOrigin } from './origin.ts';
import { RateLimit } from './rate-limit.ts';
import { secretPaths } from './secret-paths.ts';

const secret = 'abcdefghijklmnopqrstuv';

test.each([
  [`/${secret}/shell.sock`, { kind: 'v1' }],
  [`/shell/${secret}`, { kind: 'v2' }],
  [`/${secret}/session`, { kind: 'page-socket' }],
  [`/${secret}/`, { kind: 'page', file: '' }],
  [`/${secret}/shell.js`, { kind: 'page', file: 'shell.js' }],
  [`/${secret}`, { kind: 'page-without-slash' }],
  [`/shell/${secret}x`, { kind: 'denied' }],
  ['/shell/', { kind: 'denied' }],
  [`/${secret}/shell.sock/`, { kind: 'unknown' }],
  [`//${secret}/shell.sock`, { kind: 'unknown' }],
  [`/${secret.toUpperCase()}/shell.sock`, { kind: 'unknown' }],
  [`/${secret.slice(0, -1)}/`, { kind: 'unknown' }],
  [`/%61${secret.slice(1)}/`, { kind: 'unknown' }],
  ['/', { kind: 'unknown' }],
  ['', { kind: 'unknown' }],
])('%s', (path, meaning) => {
  expect(secretPaths(secret)(path)).toEqual(meaning);
});

test.each([
  [undefined, 'a:1', true],
  ['http://a:1', 'a:1', true],
  ['https://a:1', 'A:1', true],
  ['https://tc.example.com', 'a:1', true],
  ['https://tc.example.com.evil.com', 'a:1', false],
  ['http://a:2', 'a:1', false],
  ['null', 'a:1', false],
  ['', 'a:1', false],
])('the origin %s may connect to %s: %s', (origin, host, expected) => {
  expect(isAllowedOrigin(origin, host, ['https://tc.example.com'])).toBe(expected);
});

test('a rate limit lets a burst through and then so many a second', () => {
  let now = 0;
  const limit = new RateLimit(2, 10, () => now);

  expect([limit.take(), limit.take(), limit.take()]).toEqual([true, true, false]);
  now += 100;
  expect([limit.take(), limit.take()]).toEqual([true, false]);
});

test('a scrollback gives back what follows a position, or all that it still has', () => {
  const scrollback = new Scrollback(10);
  scrollback.push(Buffer.from('abcdef'));
  scrollback.push(Buffer.from('ghijkl'));

  expect(scrollback.from(8)).toEqual({ position: 8, data: Buffer.from('ijkl') });
  expect(scrollback.from(99)).toEqual({ position: 12, data: Buffer.from('') });
  scrollback.push(Buffer.from('mnopqr'));
  expect(scrollback.from(0)).toEqual({ position: 6, data: Buffer.from('ghijklmnopqr') });
});
