import { expect, test } from '@jest/globals';
import type Docker from 'dockerode';
import { removeContainer } from './remove-container.ts';
import { removeNetwork } from './run-network.ts';

/** An engine to which a connection can be made at the third attempt. */
function engine() {
  let attempts = 0;
  const remove = async () => {
    attempts += 1;
    if (attempts < 3) throw Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' });
  };
  const docker = { getContainer: () => ({ remove }), getNetwork: () => ({ remove }) } as unknown as Docker;
  return { docker, attempts: () => attempts };
}

test.each([
  ['a container', removeContainer],
  ['a network', removeNetwork],
])('%s is removed once this process may open files again', async (_, remove) => {
  const { docker, attempts } = engine();

  await remove(docker, 'id');

  expect(attempts()).toBe(3);
});
