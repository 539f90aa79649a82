import { startDeployment } from '../harness/deployment.ts';
import { hostContents } from '../harness/host-contents.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { Finding } from './finding.ts';
import { SoakedWorker } from './soaked-worker.ts';

/** Kills the worker in the middle of a task and starts it again, over and over. */
export async function soakCrashes(count: number): Promise<Finding[]> {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const before = new Set(await hostContents());
  let most = 0;
  let poolErrors = 0;
  const started = performance.now();
  for (let crash = 0; crash < count; crash++) {
    await using worker = await SoakedWorker.start(folder.path, deployment);
    const taskId = await deployment.createTask(
      { features: { taskclusterProxy: true }, cache: { soak: '/cache' }, command: ['sleep', '600'] },
      { scopes: ['docker-worker:cache:soak'] },
    );
    await worker.printed(new RegExp(`"taskId":"${taskId}".*"type":"task started"`));
    worker.kill('SIGKILL');
    await worker.exited;
    poolErrors += /address pool|no free \S+ subnet/i.test(worker.stdout) ? 1 : 0;
    most = Math.max(most, (await added(before)).length);
  }
  const seconds = (performance.now() - started) / 1000;
  {
    await using last = await SoakedWorker.start(folder.path, deployment);
    await last.printed(/"type":"start"/);
    last.kill('SIGQUIT');
    await last.exited;
  }
  const left = await added(before);
  process.stderr.write(left.map((item) => `left: ${item}\n`).join(''));
  return [
    { what: 'crashes, each with a task that had started', figure: count },
    { what: 'errors about address pools', figure: poolErrors, isGood: poolErrors === 0 },
    { what: 'most things on the host at once', figure: most },
    { what: 'things left after the last start', figure: left.length, isGood: left.length === 0 },
    { what: 'seconds in all', figure: Math.round(seconds) },
  ];
}

async function added(before: Set<string>): Promise<string[]> {
  return (await hostContents()).filter((item) => !before.has(item));
}
