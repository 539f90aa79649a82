import { startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { Finding } from './finding.ts';
import { SoakedWorker } from './soaked-worker.ts';

const mebibyte = 1024 * 1024;
/** Of the number that each line consists of; with its line feed a line has 128 bytes. */
const digits = 127;

/** A task that prints so many MiB as fast as it can; its log must be whole and the worker must not grow with it. */
export async function soakFlood(mebibytes: number): Promise<Finding[]> {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await SoakedWorker.start(folder.path, deployment);
  await worker.printed(/"type":"start"/);
  const small = await deployment.createTask({ command: ['true'] });
  await worker.printed(new RegExp(`"taskId":"${small}".*"type":"task resolved"`));
  const before = await worker.memory('VmHWM');
  const lines = (mebibytes * mebibyte) / (digits + 1);
  const started = performance.now();
  const taskId = await deployment.createTask({
    maxRunTime: 3600,
    command: ['seq', '--format', `%0${digits}.0f`, String(lines)],
  });
  await worker.printed(new RegExp(`"taskId":"${taskId}".*"type":"task resolved"`));
  const seconds = (performance.now() - started) / 1000;
  const peak = await worker.memory('VmHWM');
  const { queue } = deployment;
  const log = await fetch(queue.buildUrl(queue.getLatestArtifact, taskId, 'public/logs/live_backing.log'));
  const whole = await linesInOrder(log.body ?? []);
  const lost = lines - whole;
  return [
    { what: 'MiB printed', figure: mebibytes },
    { what: 'lines printed', figure: lines },
    { what: 'lines lost, broken or out of order', figure: lost, isGood: lost === 0 },
    { what: 'seconds from the task’s creation to its resolution', figure: Math.round(seconds) },
    { what: 'most memory of the worker before, MiB', figure: Math.round(before) },
    { what: 'most memory of the worker after, MiB', figure: Math.round(peak) },
    { what: 'growth, MiB', figure: Math.round(peak - before), isGood: peak - before < 100 },
  ];
}

/** How many lines come that have the number which is due. */
async function linesInOrder(log: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  let due = 1;
  let rest = '';
  for await (const chunk of log) {
    const lines = (rest + Buffer.from(chunk).toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // What the worker says before the first one ends in a line feed.
      const text = line.slice(line.lastIndexOf('\n') + 1);
      if (text.length === digits && Number(text) === due) {
        due++;
      }
    }
  }
  return due - 1;
}
