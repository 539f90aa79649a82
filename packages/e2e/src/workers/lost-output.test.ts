import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { main } from '../harness/command.ts';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { writeConfig } from '../harness/write-config.ts';

const examples = join(import.meta.dirname, '../../../../examples');

/** Each is a loss of what a worker writes to, and what to do with its output for it. */
const losses: [string, (worker: ChildProcess) => void][] = [
  ['the reader of its log is gone', ({ stdout }) => void stdout?.destroy()],
  [
    'the readers of both outputs are gone',
    ({ stdout, stderr }) => void [stdout?.destroy(), stderr?.destroy()],
  ],
  ['nobody reads its log', ({ stdout }) => void stdout?.removeAllListeners('data').pause()],
];

test.each(losses)('a worker goes on when %s, and ends when it is told', async (_, lose) => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  // A line each millisecond: what a pipe holds is full within seconds.
  const config = await writeConfig(folder.path, deployment, { alivenessCheckInterval: 1 });
  const worker = spawn(process.execPath, [main, 'start', '--config', config], { stdio: 'pipe' });
  await using __ = { [Symbol.asyncDispose]: async () => void worker.kill('SIGKILL') };
  const exited = once(worker, 'exit');
  const lines = createInterface(worker.stdout);
  for await (const line of lines) {
    if (line.includes('"type":"start"')) break;
  }
  worker.stderr.resume();

  lose(worker);
  const taskIds = [
    await deployment.createTask({ command: ['sleep', '3'] }),
    await deployment.createTask({ command: ['true'] }),
  ];
  for (const taskId of taskIds) {
    expect(await resolved(deployment, taskId)).toBe('completed');
  }
  worker.kill('SIGTERM');

  expect(await exited).toEqual([0, null]);
});

test('run-task ends quietly when nobody reads its output any more, and leaves nothing', async () => {
  const command = `"$@" | head -1; echo "exit code \${PIPESTATUS[0]}"`;
  const task =
    'image: docker-worker/example-task\nmaxRunTime: 60\ncommand: [sh, -c, "while :; do echo line; done"]\n';
  const shell = spawn('bash', ['-c', command, 'bash', process.execPath, main, 'run-task', '-'], {
    cwd: examples,
    stdio: 'pipe',
  });
  shell.stdin.end(task);
  const [stdout, stderr] = await Promise.all(
    [shell.stdout, shell.stderr].map(async (stream) => (await stream.toArray()).join('')),
  );

  expect(stdout).toMatch(/^\[taskcluster .*\nexit code 141\n$/);
  expect(stderr).not.toMatch(/EPIPE|Error|\n {4}at /);
  const filters = { label: ['docker-worker.worker'], status: ['running'] };
  expect(await docker.listContainers({ filters })).toEqual([]);
});

async function resolved({ queue }: Deployment, taskId: string): Promise<string> {
  for (;;) {
    const { status } = await queue.status(taskId);
    if (!['pending', 'running', 'unscheduled'].includes(status.state)) return status.state;
    // Nobody tells this test: what the worker says is lost.
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
