import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Command } from '../harness/command.ts';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { hostContents } from '../harness/host/host-contents.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { writeConfig } from '../harness/write-config.ts';

const preload = join(import.meta.dirname, '../harness/throw-for-image.mjs');

test('an error that nobody handles ends the worker in order, and the task whose it was is not run again', async () => {
  const before = await hostContents();
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using first = await startWorker(deployment, folder.path);
  const beside = await deployment.createTask({ command: ['sleep', '15'] });
  await first.printed(new RegExp(`"taskId":"${beside}".*"type":"task started"`));

  const culprit = await deployment.createTask({ image: 'throws/it' });

  expect(await first.exited).toBe(70);
  const [uncaught = ''] = /.*"type":"\[alert-operator\] uncaught error".*/.exec(first.stdout) ?? [];
  expect(JSON.parse(uncaught)).toMatchObject({ level: 60, err: { message: 'made up' }, taskId: culprit });
  expect(await runsOf(deployment, beside)).toEqual(['exception/worker-shutdown', 'pending/undefined']);
  expect(await runsOf(deployment, culprit)).toEqual(['exception/worker-shutdown', 'pending/undefined']);
  expect(await hostContents()).toEqual(before);

  await using second = await startWorker(deployment, folder.path);
  await second.printed(new RegExp(`"taskId":"${culprit}".*"resolution":"exception/malformed-payload"`));
  await second.printed(new RegExp(`"taskId":"${beside}".*"resolution":"completed"`));
  expect(await deployment.taskLog(culprit)).toContain(
    "[taskcluster:error] This worker's process has failed while it ran this task before",
  );
});

async function runsOf({ queue }: Deployment, taskId: string): Promise<string[]> {
  const { status } = await queue.status(taskId);
  return status.runs.map(
    ({ state, reasonResolved }: { state: string; reasonResolved?: string }) => `${state}/${reasonResolved}`,
  );
}

async function startWorker(deployment: Deployment, folder: string): Promise<Command> {
  const config = await writeConfig(folder, deployment, {
    capacity: 2,
    stateDirectory: join(folder, 'state'),
    cache: { volumeCachePath: join(folder, 'caches') },
  });
  return new Command(['start', '--config', config], { env: { NODE_OPTIONS: `--import=${preload}` } });
}
