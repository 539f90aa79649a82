import { expect, test } from '@jest/globals';
import { possibleLimits } from './possible-limits.ts';
import { capabilitiesForTest } from './testing/capabilities.ts';

const wanted = {
  Memory: 1,
  MemorySwap: 1,
  NanoCpus: 2,
  CpusetCpus: '0',
  PidsLimit: 3,
  ShmSize: 4,
  CapDrop: ['ALL'],
};

test('limits that the engine cannot hold are left out, and nothing else', () => {
  const none = { memory: false, cpu: false, cpuset: false, pids: false };

  expect(possibleLimits(wanted, capabilitiesForTest())).toEqual(wanted);
  expect(possibleLimits(wanted, capabilitiesForTest({ limits: none }))).toEqual({
    ShmSize: 4,
    CapDrop: ['ALL'],
  });
  expect(possibleLimits(wanted, capabilitiesForTest({ limits: { ...none, pids: true } }))).toEqual({
    ...{ PidsLimit: 3, ShmSize: 4, CapDrop: ['ALL'] },
  });
});
