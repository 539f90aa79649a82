import { expect, test } from '@jest/globals';
import { layersOfTwoBuilds } from '../harness/images/published-images.ts';

const all = [
  ...['tc-proxy', 'relengapi-proxy', 'testdroid-proxy', 'vpn-proxy'],
  ...['exec-ws-server', 'worker', 'example-task'],
];

// One with Debian packages and with a compile cache stands for all, unless there is time for the others.
test.each(process.env.DOCKER_WORKER_ALL_IMAGES ? all : ['exec-ws-server'])(
  'two builds of %s have the same layers',
  async (name) => {
    const [first, second] = await layersOfTwoBuilds(name);
    expect(first.layers.length).toBeGreaterThan(1);
    expect(second).toEqual(first);
  },
  600_000,
);
