import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const builtWorker = join(import.meta.dirname, '../../packages/worker/dist/main.js');

export interface BenchTask extends AsyncDisposable {
  /** Of the task file. */
  folder: string;
  /** Id of the task's container. */
  container: string;
  /** Address of its shells. */
  socket: string;
  /** Process ids of what output passes through. */
  worker: number;
  service: number;
}

/** A task that people can log into, as `run-task` of this bundle of the worker runs it. */
export async function startTask(worker = builtWorker): Promise<BenchTask> {
  const folder = mkdtempSync(join(tmpdir(), 'docker-worker-bench-'));
  const file = join(folder, 'task.json');
  writeFileSync(
    file,
    JSON.stringify({
      ...{ image: 'docker-worker/example-task', maxRunTime: 3600 },
      command: ['bash', '-c', 'echo "run $TASK_ID/$RUN_ID"; sleep 3600'],
    }),
  );
  const child = spawn(process.execPath, [worker, 'run-task', file, '--interactive'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const [[, taskRun = ''], [, page = '']] = await Promise.all([
    lineOf(child.stdout, /^run (\S+)/),
    lineOf(child.stderr, /log in at (\S+)/),
  ]);
  const containers = ['ps', '--quiet', '--no-trunc', '--filter'];
  const [container, service] = await Promise.all([
    docker(
      ...containers,
      'label=docker-worker.role=task',
      '--filter',
      `label=docker-worker.task-run=${taskRun}`,
    ),
    docker(...containers, `publish=${new URL(page).port}`),
  ]);
  return {
    folder,
    container,
    worker: child.pid ?? Number.NaN,
    service: Number(await docker('inspect', '--format', '{{.State.Pid}}', service)),
    socket: `${page.replace('http', 'ws')}shell.sock`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      await exited;
    },
  };
}

async function docker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', args);
  return stdout.trim();
}

async function lineOf(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<RegExpExecArray> {
  const found = Promise.withResolvers<RegExpExecArray>();
  createInterface({ input: stream })
    .on('line', (line) => {
      const match = pattern.exec(line);
      if (match !== null) {
        found.resolve(match);
      }
    })
    .on('close', () => found.reject(new Error(`the task has ended without ${pattern}`)));
  return await found.promise;
}
