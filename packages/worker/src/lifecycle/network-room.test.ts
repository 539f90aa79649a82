import { expect, test } from '@jest/globals';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { networkRoom } from './network-room.ts';

test.each([
  ['a usual range', '172.29.0.0/16', 4, 1, { runs: 8, ahead: 5, kept: 4 }],
  ['nothing ahead', '172.29.0.0/16', 4, 0, { runs: 8, ahead: 0, kept: 0 }],
  ['eight networks', '172.29.0.0/25', 4, 1, { runs: 7, ahead: 1, kept: 0 }],
  ['ten slots, of sixteen networks', '172.29.0.0/24', 10, 2, { runs: 14, ahead: 2, kept: 0 }],
  ['as many networks as slots', '172.29.0.0/26', 4, 0, { runs: 4, ahead: 0, kept: 0 }],
])('with %s', (_, subnets, capacity, units, room) => {
  expect(networkRoom(testConfig({ capacity, network: { subnets }, warm: { units } }))).toEqual(room);
});
