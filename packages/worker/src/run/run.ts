import { join } from 'node:path';
import type { Credentials } from '@docker-worker/service-kit/control';
import type { Logger } from 'pino';
import type { Client } from 'taskcluster-client';
import { configuredStorage } from '../artifacts/storage/configured-storage.ts';
import type { ArtifactStorage } from '../artifacts/storage/storage.ts';
import { whenAborted } from '../async/when-aborted.ts';
import type { WorkerConfig } from '../config/config.ts';
import type { Engine } from '../engine/engine.ts';
import type { PullEvent } from '../engine/ensure-image.ts';
import type { LogServer } from '../log/log-server.ts';
import { secretValues, worthlessAfter } from '../log/secret-forms.ts';
import { TaskLog } from '../log/task-log.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import type { Owner } from '../ownership/labels.ts';
import { type Claim, queueClient, type TaskDefinition } from '../queue/queue.ts';
import type { WarmUnits } from '../sidecars/warm-units.ts';
import type { TaskclusterAccess } from '../taskcluster-access/taskcluster-access.ts';
import type { HostParts } from './host-part.ts';
import type { OpenShell } from './open-shell.ts';
import type { Outcome } from './outcome.ts';
import { type AbortCause, RunAbort } from './run-abort.ts';
import { makeRunFolder } from './run-folder.ts';

/** What all runs of a worker share. */
export interface RunHost {
  config: WorkerConfig;
  version: string;
  /** Name of the worker as its labels carry it. */
  workerName: string;
  engine: Engine;
  /** For a Taskcluster that the networks of containers do not lead to. */
  access?: TaskclusterAccess;
  logServer: LogServer;
  logger: Logger;
  /** Counts what happens, where somebody looks. */
  metrics?: WorkerMetrics;
  /** Aborted when the worker aborts its runs. */
  stopping: AbortSignal;
  /** Told of every step of a pull for a task, beside what its log says. */
  onPull?(event: PullEvent): void;
  /** Told of every step of a run that people are shown: its image is there, it has started, it can be logged into. */
  onStep?(run: Run): void;
  /** Told that people can log into a run's container. */
  onShell?(run: Run, shell: OpenShell): void;
  /** Told that a task's container has exited, which is there until what this returns settles. */
  onExited?(run: Run, containerId: string, outcome: Outcome): Promise<void>;
  /** Networks with sidecars that were made before there was a run for them. */
  warmUnits: WarmUnits;
  /** What features and others keep on this host for all runs. */
  parts: HostParts;
}

/** The root URL as the containers of runs know it. */
export function rootUrlInside({ config, access }: Pick<RunHost, 'config' | 'access'>): string {
  return access?.rootUrl ?? config.rootUrl;
}

/** One run of one task, from its claim until everything made for it is disposed of. */
export interface Run {
  taskId: string;
  runId: number;
  task: TaskDefinition;
  host: RunHost;
  claimed: Date;
  /** When its image was there. */
  imageReady?: Date;
  /** When the task's container was started; not before. */
  started?: Date;
  /** When that had exited. */
  exited?: Date;
  /** Whether the task's container may be running, also because nobody knows. */
  mayRun: boolean;
  /** When its slot was free for another run; not before. */
  vacated?: Date;
  /** The network that its containers are on, once there is one. */
  network?: string;
  /** What people can open while it runs, by what it is: `log`, `shell`. */
  links: Map<string, string>;
  owner: Owner;
  log: TaskLog;
  /** Keeps the secrets in that out of the log, from when it settles on: those of a configuration, or credentials. */
  conceal(secretive: unknown): Promise<void>;
  /** A folder of the run's own, removed with it. */
  tempDir: string;
  logger: Logger;
  /** Aborted with a RunAbort when the run must stop. The first cause stands. */
  signal: AbortSignal;
  abort(cause: AbortCause): void;
  /**
   * Aborted, with a RunAbort, when nothing more can be told to the queue of this run: its claim has lapsed, it was cancelled
   * some minutes ago, or the grace period of a worker that shuts down is over.
   */
  over: AbortSignal;
  /** The claim's newest credentials. */
  credentials: Credentials;
  /** A queue client with the claim's newest credentials: ask for it at each call. */
  queue(): Client;
  /** Where its artifacts go. */
  storage: ArtifactStorage;
  /** Names of the artifacts that are not the payload's to make, once that has been examined. */
  reservedArtifacts: ReadonlySet<string>;
  /** The artifacts that have been uploaded; hashes are of the bytes before compression. */
  uploaded: Map<string, { sha256: string }>;
  /** What the task runs in, once that is known: the image's id, and the hash of the artifact it came from. */
  image?: { hash: string; artifactHash?: string };
  /** Owns whatever is made for the run; disposed of in reverse order after the run is resolved. */
  resources: AsyncDisposableStack;
  /**
   * Owns what the run keeps from others: caches, devices, a phone. Disposed of in reverse order as soon as the task is over, or
   * after its container when that may still run.
   */
  leases: AsyncDisposableStack;
}

/** The queue takes artifacts for 25 minutes after a task was cancelled; nobody waits that long for a slot. */
const canceledUploadMs = 5 * 60_000;

/** What the log calls an abort; where nothing is said, `task aborted`. */
const abortEvent: Partial<Record<AbortCause['kind'], string>> = {
  canceled: 'cancelling task',
  'max-run-time': 'task max runtime timeout',
};

export async function openRun(host: RunHost, claim: Claim, resources: AsyncDisposableStack): Promise<Run> {
  const { taskId } = claim.status;
  const { runId, task } = claim;
  const owner = { worker: host.workerName, taskRun: `${taskId}/${runId}` };
  const { path: tempDir } = resources.use(await makeRunFolder(owner));
  const log = resources.use(await TaskLog.open(join(tempDir, 'task.log')));
  const leases = resources.use(new AsyncDisposableStack());
  const stopping = new AbortController();
  const ending = new AbortController();
  const done = new AbortController();
  resources.defer(() => done.abort());
  const endIn = (ms: number, reason: unknown) => {
    const timer = setTimeout(() => ending.abort(reason), ms).unref();
    whenAborted(done.signal, () => clearTimeout(timer));
  };
  const logger = host.logger.child({ taskId, runId });
  const run: Run = {
    taskId,
    runId,
    task,
    host,
    claimed: new Date(),
    mayRun: false,
    links: new Map(),
    owner,
    log,
    tempDir,
    logger,
    async conceal(secretive) {
      const tooShort = await log.conceal(secretValues(secretive), worthlessAfter(secretive));
      if (tooShort > 0) {
        logger.warn({ tooShort }, 'secrets that are too short to be masked in the log');
        log.worker(`${tooShort} secrets of services are too short to be masked in this log.`);
      }
    },
    signal: stopping.signal,
    abort(cause) {
      if (!stopping.signal.aborted) {
        logger.info({ cause }, abortEvent[cause.kind] ?? 'task aborted');
        stopping.abort(new RunAbort(cause));
      }
      if (cause.kind === 'claim-lapsed') {
        ending.abort(new RunAbort(cause));
      } else if (cause.kind === 'canceled') {
        endIn(canceledUploadMs, new RunAbort(cause));
      }
    },
    over: ending.signal,
    credentials: claim.credentials,
    queue: () => queueClient(host.config.rootUrl, run.credentials),
    storage: configuredStorage(host.config),
    reservedArtifacts: new Set(),
    uploaded: new Map(),
    resources,
    leases,
  };
  const onStop = () => endIn(host.config.shutdown.graceSeconds * 1000, host.stopping.reason);
  whenAborted(host.stopping, onStop, done.signal);
  await Promise.all([run.conceal(host.config.taskcluster), run.conceal(claim.credentials)]);
  return run;
}
