import fc from 'fast-check';
import { Command, dockerWorker } from '../harness/command.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { ThrowawayEngine } from '../harness/throwaway-engine.ts';
import { writeConfig } from '../harness/write-config.ts';
import type { Finding } from './finding.ts';
import { oddPayloads } from './odd-payloads.ts';
import { stuck } from './stuck.ts';
import { startWatchedDeployment } from './watched-deployment.ts';

const scopes = ['docker-worker:*', 'queue:get-artifact:*'];

/**
 * So many tasks with odd payloads on one worker, with a healthy task beside them all. The engine has no network:
 * what images are called leads nowhere.
 */
export async function soakPayloads(count: number): Promise<Finding[]> {
  const seed = Date.now();
  process.stderr.write(`payloads of seed ${seed}\n`);
  const schema = JSON.parse((await dockerWorker('schema', 'payload')).stdout);
  const payloads = fc.sample(oddPayloads(schema), { numRuns: count, seed });
  await using engine = await ThrowawayEngine.start('docker-worker/example-task');
  await using deployment = await startWatchedDeployment();
  await using folder = await makeTempDir();
  const config = await writeConfig(folder.path, deployment, {
    capacity: 8,
    cache: { volumeCachePath: `${folder.path}/caches` },
    stateDirectory: `${folder.path}/state`,
    dockerConfig: { maxAttempts: 1 },
    warm: { features: [] },
  });
  await using worker = new Command(['start', '--config', config], { env: { DOCKER_HOST: engine.host } });
  const healthy = await deployment.createTask({
    command: ['sh', '-c', 'until [ -e /enough ]; do sleep 1; done'],
    maxRunTime: 3_600,
  });
  await worker.printed(new RegExp(`"taskId":"${healthy}".*"type":"task started"`));
  const started = performance.now();
  for (const payload of payloads) {
    await deployment.createTask({}, { payload, scopes, retries: 0 });
  }
  const all = deployment.resolved(count).then(() => true);
  const isAll = await Promise.race([
    all,
    worker.exited.then(() => false),
    stuck(deployment.reports).then(() => false),
  ]);
  const container = await engine.docker(
    ...['ps', '--quiet', '--filter', `label=docker-worker.task-run=${healthy}/0`],
    ...['--filter', 'label=docker-worker.role=task'],
  );
  await engine.docker('exec', container, 'touch', '/enough');
  await worker.printed(new RegExp(`"taskId":"${healthy}".*"resolution":"`));
  const { status } = await deployment.queue.status(healthy);
  const reports = [...deployment.reports.values()];
  const uncaught = [...worker.stdout.matchAll(/"type":"\[alert-operator\] uncaught error"/g)].length;
  const unexplained = [...worker.stdout.matchAll(/"type":"\[alert-operator\] task error"/g)].length;
  const resolutions = Object.entries(
    Object.groupBy(worker.stdout.matchAll(/"resolution":"([^"]+)"/g), ([, resolution]) => resolution ?? ''),
  );
  return [
    { what: 'tasks with odd payloads', figure: count },
    ...resolutions.map(([what, { length } = []]) => ({ what: `resolved as ${what}`, figure: length ?? 0 })),
    { what: 'runs resolved', figure: reports.length - 1, isGood: isAll && reports.length === count + 1 },
    { what: 'runs resolved twice', ...none(reports.filter(({ length }) => length > 1).length) },
    { what: 'errors that nobody handled', ...none(uncaught) },
    { what: 'errors that the worker could not explain', ...none(unexplained) },
    {
      what: 'healthy tasks completed',
      figure: Number(status.state === 'completed'),
      isGood: status.state === 'completed',
    },
    { what: 'seconds in all', figure: Math.round((performance.now() - started) / 1000) },
  ];
}

function none(figure: number): Pick<Finding, 'figure' | 'isGood'> {
  return { figure, isGood: figure === 0 };
}
