import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Command } from '../harness/command.ts';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { ThrowawayEngine } from '../harness/throwaway-engine.ts';
import { writeConfig } from '../harness/write-config.ts';
import { soakEngineRestarts } from '../soak/engine-restarts.ts';

let engine: ThrowawayEngine;
beforeAll(async () => {
  engine = await ThrowawayEngine.start('docker-worker/example-task');
}, 120_000);
afterAll(() => engine[Symbol.asyncDispose]());

test('a killed engine ends its runs at once, and its return brings them back', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await startWorker(deployment, folder.path);
  const taskId = await deployment.createTask({ command: ['sleep', '5'] });
  await worker.printed(/"type":"task started"/);

  const killed = Date.now();
  await engine.kill();
  await worker.printed(/"resolution":"exception\/worker-shutdown"/);
  expect(Date.now() - killed).toBeLessThan(25_000);
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs).toMatchObject([
    { state: 'exception', reasonResolved: 'worker-shutdown' },
    { state: 'pending', reasonCreated: 'retry' },
  ]);

  await engine.boot();
  await worker.printed(new RegExp(`"taskId":"${taskId}".*"resolution":"completed"`));
  worker.kill('SIGTERM');
  expect(await worker.exited).toBe(0);
  expect(await engine.docker('ps', '--all', '--quiet')).toBe('');
});

// In full: npm run soak -- engine-restarts
test('a worker whose every slot has a task outlives its engine', async () => {
  expect((await soakEngineRestarts(engine, 1)).filter(({ isGood }) => isGood === false)).toEqual([]);
}, 300_000);

test('an engine that hangs is noticed at once, costs its runs when it does not recover, and claims come with its return', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await startWorker(deployment, folder.path);
  const taskId = await deployment.createTask({ command: ['sleep', '600'] }, { retries: 0 });
  await worker.printed(/"type":"task started"/);

  const paused = Date.now();
  engine.pause();
  await worker.printed(/docker engine does not answer/);
  expect(Date.now() - paused).toBeLessThan(25_000);
  await worker.printed(/"resolution":"exception\/worker-shutdown"/);
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs).toMatchObject([{ state: 'exception', reasonResolved: 'worker-shutdown' }]);

  const next = await deployment.createTask({ command: ['true'] });
  engine.resume();
  await worker.printed(new RegExp(`"taskId":"${next}".*"resolution":"completed"`));
  worker.kill('SIGTERM');
  expect(await worker.exited).toBe(0);
  expect(await engine.docker('ps', '--all', '--quiet')).toBe('');
});

test('a worker that waits for an engine which hangs ends when it is told to', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  engine.pause();
  await using worker = await startWorker(deployment, folder.path);
  await worker.printed(/"type":"status is served"/);

  worker.kill('SIGTERM');

  expect(await worker.exited).toBe(0);
  engine.resume();
});

async function startWorker(deployment: Deployment, folder: string): Promise<Command> {
  const config = await writeConfig(folder, deployment);
  return new Command(['start', '--config', config], { env: { DOCKER_HOST: engine.host } });
}
