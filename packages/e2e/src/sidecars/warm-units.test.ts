import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { EngineEvents } from '../harness/host/engine-events.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers, runNetwork } from '../harness/host/run-containers.ts';
import { startTestWorker } from '../harness/test-worker.ts';

const workerId = `test-warm-units-${process.pid}`;
const worker = `test/e2e/test-group/${workerId}`;
const warm = [
  ...['docker-worker.role=sidecar:tc-proxy', 'docker-worker.task-run=warm'],
  `docker-worker.worker=${worker}`,
];

function isWarmSidecar(event: { Action: string; Actor: { Attributes: Record<string, string> } }): boolean {
  const { Attributes: labels } = event.Actor;
  return (
    event.Action === 'start' &&
    labels['docker-worker.worker'] === worker &&
    labels['docker-worker.task-run'] === 'warm' &&
    labels['docker-worker.role'] === 'sidecar:tc-proxy'
  );
}

test('a task gets a sidecar that was started before its claim, which no later task gets', async () => {
  await using deployment = await startDeployment();
  await using events = await EngineEvents.open();
  await using started = await startTestWorker(deployment, { workerId, warm: { units: 1 } });
  const { ID: first } = (await events.matching(isWarmSidecar)).Actor;
  const payload = {
    features: { taskclusterProxy: true },
    command: [
      'bash',
      '-c',
      'curl --silent --fail $TASKCLUSTER_PROXY_URL/api/auth/v1/ping && echo here; sleep 60',
    ],
  };

  const taskId = await deployment.createTask(payload);
  const run = await started.run(taskId);
  for await (const chunk of run.log.read()) {
    if (chunk.includes('here\r\n')) {
      break;
    }
  }
  expect((await runContainers(`${taskId}/0`)).get('sidecar:tc-proxy')?.Id).toBe(first);
  const network = await runNetwork(`${taskId}/0`);
  const { ID: second } = (await events.matching(isWarmSidecar)).Actor;
  expect(second).not.toBe(first);

  run.abort({ kind: 'canceled' });
  await started.outcome(taskId);
  expect(await docker.getNetwork(network).inspect()).toMatchObject({ Containers: {} });
  const left = await docker.listContainers({ all: true, filters: { label: warm } });
  expect(left.map(({ Id }) => Id)).toEqual([second]);
});

test('a sidecar that died while it was warm is not given to a task', async () => {
  await using deployment = await startDeployment();
  await using events = await EngineEvents.open();
  await using started = await startTestWorker(deployment, { workerId, warm: { units: 1 } });
  const { ID: dead } = (await events.matching(isWarmSidecar)).Actor;
  await docker.getContainer(dead).kill();
  await events.happened('destroy', dead);

  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: ['bash', '-c', 'curl --silent --fail $TASKCLUSTER_PROXY_URL/api/auth/v1/ping'],
  });

  expect(await started.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });
});
