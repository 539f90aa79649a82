import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { startTestWorker } from '../harness/test-worker.ts';

/** The address behind a task's live log, as the queue redirects to it. */
async function liveLogUrl(
  deployment: Awaited<ReturnType<typeof startDeployment>>,
  taskId: string,
): Promise<string> {
  const { queue } = deployment;
  const answer = await fetch(queue.buildUrl(queue.getLatestArtifact, taskId, 'public/logs/live.log'), {
    redirect: 'manual',
  });
  return answer.headers.get('location') ?? '';
}

test('readers follow the log from its first byte, also those that come late and those that do not read', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  const lines = 200_000;
  const taskId = await deployment.createTask({
    command: ['bash', '-c', `echo first; until [ -e /go ]; do sleep 0.1; done; seq ${lines}; echo last`],
  });
  const run = await worker.run(taskId);
  for await (const chunk of run.log.read()) {
    if (chunk.includes('first\r\n')) {
      break;
    }
  }
  const url = await liveLogUrl(deployment, taskId);
  expect(url).toMatch(/^http:\/\/localhost:\d+\/log\/[A-Za-z0-9_-]{22}$/);
  const stalled = request(url).end();
  const [silent] = (await once(stalled, 'response')) as [IncomingMessage];
  silent.on('error', () => {});
  const early = fetch(url).then((response) => response.text());
  const task = docker.getContainer((await runContainers(`${taskId}/0`)).get('task')?.Id ?? '');
  await (await task.exec({ Cmd: ['touch', '/go'] })).start({});
  const late = fetch(url).then((response) => response.text());

  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'completed' });

  const backing = await deployment.taskLog(taskId);
  expect(backing).toContain(`\r\n${lines}\r\nlast\r\n`);
  expect(await early).toBe(backing);
  expect(await late).toBe(backing);
  silent.destroy();
  expect((await fetch(url)).status).toBe(404);
});
