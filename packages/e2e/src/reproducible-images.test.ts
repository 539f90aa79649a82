import { expect, test } from '@jest/globals';
import { layersOfTwoBuilds } from './harness/published-images.ts';

test.each([
  'tc-proxy',
  'relengapi-proxy',
  'testdroid-proxy',
  'vpn-proxy',
  'exec-ws-server',
  'worker',
  'example-task',
])(
  'two builds of %s have the same layers',
  async (name) => {
    const [first, second] = await layersOfTwoBuilds(name);
    expect(first.layers.length).toBeGreaterThan(1);
    expect(second).toEqual(first);
  },
  600_000,
);
