import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { startTestWorker } from '../harness/test-worker.ts';

const workerId = `test-capacity-${process.pid}`;
const own = { label: [`docker-worker.worker=test/e2e/test-group/${workerId}`] };

test('two workers share a pool, and each run is of one of them', async () => {
  await using deployment = await startDeployment();
  const settings = { capacity: 1, workerType: 'shared' };
  await using first = await startTestWorker(deployment, { ...settings, workerId: 'first' });
  await using second = await startTestWorker(deployment, { ...settings, workerId: 'second' });
  const create = () => deployment.createTask({ command: ['sleep', '2'] }, { taskQueueId: 'test/shared' });
  const taskIds = await Promise.all([create(), create()]);

  await Promise.all(taskIds.map((taskId) => Promise.race([first.outcome(taskId), second.outcome(taskId)])));

  const { statuses } = await deployment.queue.statuses({ taskIds });
  const runs = statuses.flatMap(
    ({ status }: { status: { runs: { workerId: string; state: string }[] } }) => status.runs,
  );
  expect(runs.map(({ state }: { state: string }) => state)).toEqual(['completed', 'completed']);
  expect(runs.map(({ workerId }: { workerId: string }) => workerId).sort()).toEqual(['first', 'second']);
});

test('tasks up to the capacity run at the same time, each of many is resolved once, and nothing is left', async () => {
  await using deployment = await startDeployment();
  const tasks = 24;
  const capacity = 4;
  {
    await using worker = await startTestWorker(deployment, { workerId, capacity, warm: { units: 1 } });
    const taskIds = await Promise.all(
      Array.from({ length: tasks }, (_, index) =>
        deployment.createTask({
          features: { taskclusterProxy: index % 2 === 0 },
          command: [
            'sh',
            '-c',
            `test -z "$TASKCLUSTER_PROXY_URL" || curl -sf $TASKCLUSTER_PROXY_URL/api/auth/v1/ping`,
          ],
        }),
      ),
    );
    const outcomes = await Promise.all(taskIds.map((taskId) => worker.outcome(taskId)));
    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual(Array(tasks).fill(0));
    const { statuses } = await deployment.queue.statuses({ taskIds });
    const runs = statuses.map(({ status }: { status: { runs: object[] } }) => status.runs);
    expect(runs.map(({ length }: { length: number }) => length)).toEqual(Array(tasks).fill(1));
    const slots = await Promise.all(taskIds.map((taskId) => worker.run(taskId)));
    const overlaps = slots.map(
      ({ claimed }) =>
        slots.filter((other) => other.claimed <= claimed && claimed < (other.vacated as Date)).length,
    );
    expect(Math.max(...overlaps)).toBeGreaterThan(1);
    expect(Math.max(...overlaps)).toBeLessThanOrEqual(capacity);
  }
  expect(await docker.listContainers({ all: true, filters: own })).toEqual([]);
  expect(await docker.listNetworks({ filters: own })).toEqual([]);
});
