import { startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { Finding } from './finding.ts';
import { SoakedWorker } from './soaked-worker.ts';

const mebibyte = 1024 * 1024;

/** A task that prints so many MiB as fast as it can; its log must be whole and the worker must not grow with it. */
export async function soakFlood(mebibytes: number): Promise<Finding[]> {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await SoakedWorker.start(folder.path, deployment);
  await worker.printed(/"type":"start"/);
  const small = await deployment.createTask({ command: ['true'] });
  await worker.printed(new RegExp(`"taskId":"${small}".*"type":"task resolved"`));
  const before = await worker.memory('VmHWM');
  const line = `${'0123456789abcdef'.repeat(8).slice(1)}`;
  const lines = (mebibytes * mebibyte) / (line.length + 1);
  const started = performance.now();
  const taskId = await deployment.createTask({
    maxRunTime: 3600,
    command: ['sh', '-c', `yes ${line} | head -n ${lines}`],
  });
  await worker.printed(new RegExp(`"taskId":"${taskId}".*"type":"task resolved"`));
  const seconds = (performance.now() - started) / 1000;
  const peak = await worker.memory('VmHWM');
  const { queue } = deployment;
  const log = await fetch(queue.buildUrl(queue.getLatestArtifact, taskId, 'public/logs/live_backing.log'));
  let seen = 0;
  for await (const chunk of log.body ?? []) {
    seen += Buffer.from(chunk).toString('latin1').split('\r\n').length - 1;
  }
  // The blank line after the header ends so as well.
  const lost = lines - (seen - 1);
  return [
    { what: 'MiB printed', figure: mebibytes },
    { what: 'lines lost', figure: lost, isGood: lost === 0 },
    { what: 'seconds from the task’s creation to its resolution', figure: Math.round(seconds) },
    { what: 'most memory of the worker before, MiB', figure: Math.round(before) },
    { what: 'most memory of the worker after, MiB', figure: Math.round(peak) },
    { what: 'growth, MiB', figure: Math.round(peak - before), isGood: peak - before < 100 },
  ];
}
