import { mkdir, watch } from 'node:fs/promises';
import { join } from 'node:path';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { Finding } from './finding.ts';
import { filesLeft, onEngine, processesLeft } from './leftovers.ts';
import { SoakedWorker } from './soaked-worker.ts';

/** So many workers, each with a name, a pool and a folder of its own, crash side by side. */
const sideBySide = 4;
/** Every so many times a worker is killed before it has done anything, beside the one in a task. */
const earlyEvery = 5;

/** Kills workers in the middle of a task and starts them again, over and over. */
export async function soakCrashes(count: number): Promise<Finding[]> {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const seen = { early: 0, poolErrors: 0, most: 0, ids: new Set<string>() };
  const started = performance.now();
  await Promise.all(
    Array.from({ length: sideBySide }, async (_, index) => {
      const worker = new CrashingWorker(deployment, join(folder.path, `crashing-${index}`), index);
      for (let crash = index; crash < count; crash += sideBySide) {
        const output = await worker.crashInTask();
        seen.poolErrors += /address pool|no free \S+ subnet/i.test(output) ? 1 : 0;
        const now = [...(await onEngine()).keys()];
        seen.most = Math.max(seen.most, now.length);
        for (const id of now) {
          seen.ids.add(id);
        }
        if (crash % earlyEvery === 0) {
          seen.early++;
          await worker.crashAtStart();
        }
      }
      await worker.end();
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const [left, files] = [await processesLeft(seen.ids), await filesLeft(folder.path)];
  process.stderr.write([...left, ...files].map((item) => `left: ${item}\n`).join(''));
  return [
    { what: 'crashes, each with a task that had started', figure: count },
    { what: 'crashes before anything was claimed', figure: seen.early },
    { what: 'errors about address pools', figure: seen.poolErrors, isGood: seen.poolErrors === 0 },
    { what: 'most things on the host at once', figure: seen.most },
    { what: 'processes left after the last start', figure: left.length, isGood: left.length === 0 },
    { what: 'files left in the workers’ folders', figure: files.length, isGood: files.length === 0 },
    { what: 'seconds in all', figure: Math.round(seconds) },
  ];
}

class CrashingWorker {
  readonly #deployment: Deployment;
  readonly #folder: string;
  readonly #settings: object;
  readonly #workerType: string;

  constructor(deployment: Deployment, folder: string, index: number) {
    this.#deployment = deployment;
    this.#folder = folder;
    this.#workerType = `crashing-${index}`;
    // Half of them crash with a unit that was made ahead.
    this.#settings = { workerType: this.#workerType, warm: { units: index % 2 } };
  }

  /** Gives what the worker logged. */
  async crashInTask(): Promise<string> {
    await using worker = await this.#start();
    const taskId = await this.#deployment.createTask(
      { features: { taskclusterProxy: true }, cache: { soak: '/cache' }, command: ['sleep', '600'] },
      { taskQueueId: `test/${this.#workerType}`, scopes: ['docker-worker:cache:soak'] },
    );
    await worker.printed(new RegExp(`"taskId":"${taskId}".*"type":"task started"`));
    worker.kill('SIGKILL');
    await worker.exited;
    return worker.stdout;
  }

  /** While the worker asks the engine whether it sees the same files. */
  async crashAtStart(): Promise<void> {
    const stopping = new AbortController();
    const events = watch(join(this.#folder, 'state'), { signal: stopping.signal });
    await using worker = await this.#start();
    for await (const { filename } of events) {
      if (filename?.startsWith('.probe-')) {
        worker.kill('SIGKILL');
        break;
      }
    }
    stopping.abort();
    await worker.exited;
  }

  /** The worker that comes after all crashes. */
  async end(): Promise<void> {
    await using last = await this.#start();
    await last.printed(/"type":"start"/);
    last.kill('SIGQUIT');
    await last.exited;
  }

  async #start(): Promise<SoakedWorker> {
    await mkdir(this.#folder, { recursive: true });
    return await SoakedWorker.start(this.#folder, this.#deployment, this.#settings);
  }
}
