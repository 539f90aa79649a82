import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { startTestWorker } from '../harness/test-worker.ts';

test('artifacts and logs go to the object service where the deployment stores them so', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, { artifacts: { storageType: 'object' } });
  const taskId = await deployment.createTask({
    command: ['bash', '-c', 'mkdir /out; echo small > /out/small.txt; seq 100000 > /out/large.txt'],
    artifacts: { 'public/out': { type: 'directory', path: '/out' } },
  });

  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'completed' });

  const { queue } = deployment;
  const { artifacts } = await queue.listLatestArtifacts(taskId);
  expect(
    artifacts
      .map((artifact: { name: string; storageType: string }) => [artifact.name, artifact.storageType])
      .sort(),
  ).toEqual([
    ['public/logs/live.log', 'link'],
    ['public/logs/live_backing.log', 'object'],
    ['public/out/large.txt', 'object'],
    ['public/out/small.txt', 'object'],
  ]);
  const read = async (name: string) =>
    (await fetch(queue.buildUrl(queue.getLatestArtifact, taskId, name))).text();
  expect(await read('public/out/small.txt')).toBe('small\n');
  expect(await read('public/out/large.txt')).toMatch(/\n100000\n$/);
  expect(await deployment.taskLog(taskId)).toContain('Successful task run');
});
