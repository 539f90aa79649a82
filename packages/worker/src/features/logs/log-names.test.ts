import { expect, test } from '@jest/globals';
import { backingLogName, liveLogName } from './log-names.ts';

test.each([
  ['public/logs/live.log', 'public/logs/live_backing.log'],
  ['apple/banana.log.txt', 'apple/banana.log_backing.txt'],
  ['live.log', 'live_backing.log'],
  ['live', 'live_backing'],
  ['public/logs/live', 'public/logs/live_backing'],
  ['v1.2/live', 'v1.2/live_backing'],
  ['.log', '.log_backing'],
  ['public/.log', 'public/.log_backing'],
  ['public/.live.log', 'public/.live_backing.log'],
  ['live.', 'live_backing.'],
])('the backing log of %s is %s', (live, backing) => {
  expect(backingLogName(live)).toBe(backing);
});

test('the payload says where the live log is', () => {
  expect(liveLogName({ log: 'apple/banana.log' })).toBe('apple/banana.log');
});

test.each([undefined, null, 'text', {}, { log: 7 }, { log: '' }, { log: null }])(
  'the log of payload %j, which says nothing of use, has the usual name',
  (payload) => {
    expect(liveLogName(payload)).toBe('public/logs/live.log');
  },
);
