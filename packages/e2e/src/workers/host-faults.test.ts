import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { Command } from '../harness/command.ts';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { hostContents } from '../harness/host/host-contents.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { writeConfig } from '../harness/write-config.ts';

const run = promisify(execFile);
const bytes = 3_000_000;
const artifact = {
  command: ['sh', '-c', `head -c ${bytes} /dev/urandom > /file`],
  artifacts: { 'public/file': { type: 'file', path: '/file' } },
};

test.each<[string, string, object]>([
  ['has no room for the rest of the log', 'size=1m', { command: ['sh', '-c', `yes | head -c ${bytes}`] }],
  ['has no room for an artifact', 'size=1m', artifact],
  ['has not even room for the file of a log', 'nr_inodes=2', { command: ['true'] }],
])('a disk that %s gives the run back to the queue', async (_, limit, payload) => {
  await using deployment = await startDeployment();
  await using small = await makeTempDir();
  await run('mount', ['-t', 'tmpfs', '-o', limit, 'tmpfs', small.path]);
  await using _mounted = { [Symbol.asyncDispose]: async () => void (await run('umount', [small.path])) };
  await using worker = await startWorker(deployment, { TMPDIR: small.path });

  const taskId = await deployment.createTask(payload, { retries: 0 });
  await worker.printed(/"type":"no task is claimed for a while after a fault of this host"/);
  await worker.printed(/"type":"task resolved"/);

  expect(await endsOf(deployment, taskId)).toEqual(['exception/worker-shutdown']);
});

test('a worker that may open no more files for a while fails no run for that', async () => {
  const before = await hostContents();
  await using deployment = await startDeployment();
  await using worker = await startWorker(deployment);
  const taskId = await deployment.createTask(artifact, { retries: 0 });
  await worker.printed(/"type":"task started"/);
  // Made beside the task, and no longer there when this has been told.
  await worker.printed(/"type":"tasks are kept from metadata services"/);
  const { pid } = worker.process;
  const { length: open } = await readdir(`/proc/${pid}/fd`);

  await run('prlimit', ['--pid', String(pid), `--nofile=${Math.floor(open / 2)}:`]);
  await worker.printed(/EMFILE/);
  await run('prlimit', ['--pid', String(pid), '--nofile=1024:']);
  await worker.printed(/"type":"task resolved"/);
  worker.kill('SIGTERM');
  expect(await worker.exited).toBe(0);
  expect(await hostContents()).toEqual(before);

  const [end] = await endsOf(deployment, taskId);
  expect(['completed/completed', 'exception/worker-shutdown']).toContain(end);
});

async function startWorker(deployment: Deployment, env: NodeJS.ProcessEnv = {}) {
  const folder = await makeTempDir();
  const config = await writeConfig(folder.path, deployment, { stateDirectory: `${folder.path}/state` });
  const worker = new Command(['start', '--config', config], { env });
  return Object.assign(worker, {
    async [Symbol.asyncDispose]() {
      await Command.prototype[Symbol.asyncDispose].call(worker);
      await folder[Symbol.asyncDispose]();
    },
  });
}

async function endsOf({ queue }: Deployment, taskId: string): Promise<string[]> {
  const { status } = await queue.status(taskId);
  return status.runs.map(
    ({ state, reasonResolved }: { state: string; reasonResolved?: string }) => `${state}/${reasonResolved}`,
  );
}
