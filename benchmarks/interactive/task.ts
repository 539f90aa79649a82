import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const worker = join(import.meta.dirname, '../../packages/worker/dist/main.js');

export interface BenchTask extends AsyncDisposable {
  /** Of the task file. */
  folder: string;
  /** Id of the task's container. */
  container: string;
  /** Address of its shells. */
  socket: string;
}

/** A task that people can log into, as `run-task` runs it. */
export async function startTask(): Promise<BenchTask> {
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
  const { stdout } = await promisify(execFile)('docker', [
    ...['ps', '--quiet', '--no-trunc', '--filter', 'label=docker-worker.role=task'],
    ...['--filter', `label=docker-worker.task-run=${taskRun}`],
  ]);
  return {
    folder,
    container: stdout.trim(),
    socket: `${page.replace('http', 'ws')}shell.sock`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      await exited;
    },
  };
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
