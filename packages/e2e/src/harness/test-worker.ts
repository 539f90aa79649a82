import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import {
  connectEngine,
  type OpenShell,
  type Outcome,
  type Run,
  startWorker,
  WorkerConfig,
} from '@docker-worker/worker';
import { pino } from 'pino';
import type { Deployment } from './deployment.ts';

/** A worker in this process, for the pool that a deployment creates its tasks in. */
export interface TestWorker extends AsyncDisposable {
  /** Everything that the worker logged. */
  log(): string;
  /** Settles when the worker has logged that. */
  logged(text: string): Promise<void>;
  /** The run of a task as soon as it has been claimed. */
  run(taskId: string, runId?: number): Promise<Run>;
  /** The outcome of a task's run once everything made for it is gone. */
  outcome(taskId: string, runId?: number): Promise<Outcome>;
  /** Nobody is waited for any more in a task that people can log into. */
  leave(taskId: string): Promise<void>;
  drain(): void;
  abort(): void;
  ended: Promise<void>;
}

export async function startTestWorker({ local }: Deployment, settings: object = {}): Promise<TestWorker> {
  const events = new EventEmitter().setMaxListeners(0);
  const runs = new Map<string, Run>();
  const outcomes = new Map<string, Outcome>();
  const shells = new Map<string, OpenShell>();
  let log = '';
  await using starting = new AsyncDisposableStack();
  const engine = starting.use(await connectEngine());
  const worker = await startWorker({
    engine,
    config: WorkerConfig.parse({
      rootUrl: local.rootUrl,
      taskcluster: local.credentials,
      provisionerId: 'test',
      workerType: 'e2e',
      workerGroup: 'test-group',
      workerId: `test-worker-${process.pid}-${randomUUID().slice(0, 8)}`,
      capacity: 4,
      capacityManagement: { diskspaceThreshold: 0 },
      ...settings,
    }),
    logger: pino(
      { level: 'debug' },
      new Writable({
        write(chunk, _encoding, done) {
          log += chunk;
          events.emit('log');
          done();
        },
      }),
    ),
    onRun(run) {
      runs.set(run.taskId, run);
      runs.set(`${run.taskId}/${run.runId}`, run);
      events.emit('change');
    },
    onShell({ taskId }, shell) {
      shells.set(taskId, shell);
      events.emit('change');
    },
    onResolved({ taskId, runId }, outcome) {
      outcomes.set(`${taskId}/${runId}`, outcome);
      events.emit('change');
    },
  });
  starting.use(worker);
  const resources = starting.move();
  return {
    log: () => log,
    async logged(text) {
      while (!log.includes(text)) {
        await once(events, 'log');
      }
    },
    run: (taskId, runId) => appearing(runs, runId === undefined ? taskId : `${taskId}/${runId}`),
    outcome: (taskId, runId = 0) => appearing(outcomes, `${taskId}/${runId}`),
    leave: async (taskId) => (await appearing(shells, taskId)).leave(),
    drain: () => worker.drain(),
    abort: () => worker.abort(),
    ended: worker.ended,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };

  async function appearing<T>(map: Map<string, T>, key: string): Promise<T> {
    for (;;) {
      const value = map.get(key);
      if (value !== undefined) {
        return value;
      }
      await once(events, 'change');
    }
  }
}
