import { expect, test } from '@jest/globals';
import { Command } from './harness/command.ts';
import { type Deployment, startDeployment } from './harness/deployment.ts';
import { makeTempDir } from './harness/temp-dir.ts';
import { ThrowawayEngine } from './harness/throwaway-engine.ts';
import { writeConfig } from './harness/write-config.ts';

test('a killed engine ends its runs as internal-error at once, and its return brings new claims', async () => {
  await using engine = await ThrowawayEngine.start('docker-worker/example-task');
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await startWorker(engine, deployment, folder.path);
  const taskId = await deployment.createTask({ command: ['sleep', '600'] });
  await worker.printed(/"type":"task started"/);

  const killed = Date.now();
  await engine.kill();
  await worker.printed(/"resolution":"exception\/internal-error"/);
  expect(Date.now() - killed).toBeLessThan(5_000);
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs[0]).toMatchObject({ state: 'exception', reasonResolved: 'internal-error' });

  await engine.boot();
  const next = await deployment.createTask({ command: ['true'] });
  await worker.printed(new RegExp(`"taskId":"${next}".*"resolution":"completed"`));
  expect(await engine.docker('ps', '--all', '--quiet')).toBe('');
});

test('an engine that hangs is noticed at once, costs its runs when it does not recover, and claims come with its return', async () => {
  await using engine = await ThrowawayEngine.start('docker-worker/example-task');
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await startWorker(engine, deployment, folder.path);
  const taskId = await deployment.createTask({ command: ['sleep', '600'] }, { retries: 0 });
  await worker.printed(/"type":"task started"/);

  const paused = Date.now();
  engine.pause();
  await worker.printed(/docker engine does not answer/);
  expect(Date.now() - paused).toBeLessThan(5_000);
  await worker.printed(/"resolution":"exception\/internal-error"/);
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs).toMatchObject([{ state: 'exception', reasonResolved: 'internal-error' }]);

  const next = await deployment.createTask({ command: ['true'] });
  engine.resume();
  await worker.printed(new RegExp(`"taskId":"${next}".*"resolution":"completed"`));
  expect(await engine.docker('ps', '--all', '--quiet')).toBe('');
});

test('a worker that waits for an engine which hangs ends when it is told to', async () => {
  await using engine = await ThrowawayEngine.start('docker-worker/example-task');
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  engine.pause();
  await using worker = await startWorker(engine, deployment, folder.path);
  await worker.printed(/"type":"status is served"/);

  worker.kill('SIGTERM');

  expect(await worker.exited).toBe(0);
});

async function startWorker(
  engine: ThrowawayEngine,
  deployment: Deployment,
  folder: string,
): Promise<Command> {
  const config = await writeConfig(folder, deployment, { warm: { units: 0 } });
  return new Command(['start', '--config', config], { env: { DOCKER_HOST: engine.host } });
}
