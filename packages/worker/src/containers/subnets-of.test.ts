import { expect, test } from '@jest/globals';
import { subnetsOf } from './run-network.ts';

test.each([
  ['172.29.0.0/16', 4096, '172.29.0.0/28', '172.29.255.240/28'],
  ['10.0.0.0/8', 1_048_576, '10.0.0.0/28', '10.255.255.240/28'],
  ['192.168.7.0/24', 16, '192.168.7.0/28', '192.168.7.240/28'],
  ['192.168.7.64/27', 2, '192.168.7.64/28', '192.168.7.80/28'],
  ['192.168.7.64/28', 1, '192.168.7.64/28', '192.168.7.64/28'],
  ['255.255.255.0/24', 16, '255.255.255.0/28', '255.255.255.240/28'],
  ['0.0.0.0/0', 268_435_456, '0.0.0.0/28', '255.255.255.240/28'],
])('%s has %d subnets, from %s to %s', (range, count, first, last) => {
  const subnets = subnetsOf(range);

  expect([subnets.count, subnets.at(0), subnets.at(subnets.count - 1)]).toEqual([count, first, last]);
});

test.each([
  ['172.29.5.7/16', '172.29.0.0/28'],
  ['192.168.7.77/28', '192.168.7.64/28'],
])('%s, whose address is not the first of its range, starts at %s', (range, first) => {
  expect(subnetsOf(range).at(0)).toBe(first);
});

test('subnets follow each other without gaps', () => {
  const { at } = subnetsOf('10.1.0.0/16');

  expect([at(15), at(16), at(17)]).toEqual(['10.1.0.240/28', '10.1.1.0/28', '10.1.1.16/28']);
});

// Neither may the addresses around it be taken, nor is there room for a task and its sidecars inside.
test.each(['10.0.0.4/30', '10.0.0.17/32'])('%s has no room for a subnet', (range) => {
  expect(subnetsOf(range).count).toBe(0);
});
