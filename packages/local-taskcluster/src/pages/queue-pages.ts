import {
  type ArtifactView,
  type GroupSummary,
  type GroupTask,
  type GroupView,
  type OpenArtifact,
  type PageLog,
  type PageSource,
  type Phase,
  type RunView,
  type ServedPages,
  serveRunPages,
  type TaskAction,
} from '@docker-worker/run-page';
import { ApiError } from '../errors.ts';
import { type Artifact, type Content, isPresent, objectName } from '../queue/artifacts.ts';
import { cancelTask, rerunTask } from '../queue/endpoints/task-actions.ts';
import type { Queue } from '../queue/queue.ts';
import { isResolved, type Run, stateOf, type TaskRecord } from '../queue/task-record.ts';
import { UnpackedLogs } from './unpacked-logs.ts';
import type { RunDetails, WorkerRuns } from './worker-runs.ts';

/** Pages of the tasks and groups of a queue. */
export class QueuePages implements PageSource, AsyncDisposable {
  readonly #queue: Queue;
  readonly #workerRuns: WorkerRuns | undefined;
  readonly #logs: UnpackedLogs;

  /** @param options.port default: any free one */
  static async serve(queue: Queue, options: { port?: number; runs?: WorkerRuns }): Promise<ServedPages> {
    await using stack = new AsyncDisposableStack();
    const pages = stack.use(new QueuePages(queue, options.runs));
    const { url } = stack.use(await serveRunPages(pages, options.port));
    const owned = stack.move();
    return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }

  constructor(queue: Queue, workerRuns?: WorkerRuns) {
    this.#queue = queue;
    this.#workerRuns = workerRuns;
    this.#logs = new UnpackedLogs(queue.blobs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#logs[Symbol.asyncDispose]();
  }

  onChange(listener: () => void): () => void {
    const endings = [this.#queue.changes.onChange(listener), this.#workerRuns?.onChange(listener)];
    return () => {
      for (const end of endings) end?.();
    };
  }

  async run(taskId: string, runId?: number): Promise<RunView | undefined> {
    const record = this.#queue.lifecycle.find(taskId);
    const shown = record && (runId ?? (record.runs.length === 0 ? undefined : record.runs.length - 1));
    const run = shown === undefined ? undefined : record?.runs[shown];
    if (!record || (runId !== undefined && !run)) return undefined;
    const details = shown === undefined ? undefined : await this.#workerRuns?.details(taskId, shown);
    const { metadata, scopes, taskGroupId } = record.task;
    const isLatest = shown === undefined || shown === record.runs.length - 1;
    return {
      taskId,
      runId: shown,
      otherRuns: [...record.runs.keys()].filter((each) => each !== shown),
      name: metadata.name,
      description: metadata.description,
      groupId: taskGroupId,
      state: run?.state ?? 'unscheduled',
      reason: run?.reasonResolved,
      phases: run === undefined ? [] : phasesOf(run, details),
      hasLog: shown !== undefined && (details?.log ?? this.#keptLog(record, shown)) !== undefined,
      artifacts: shown === undefined ? [] : await this.#artifactsOf(taskId, shown),
      shell: details?.shell,
      scopes,
      definition: record.task,
      actions: isLatest ? actionsOf(record) : [],
    };
  }

  async log(taskId: string, runId: number): Promise<PageLog | undefined> {
    const record = this.#queue.lifecycle.find(taskId);
    const details = await this.#workerRuns?.details(taskId, runId);
    const kept = record && this.#keptLog(record, runId);
    return details?.log ?? (kept === undefined ? undefined : await this.#logs.get(kept));
  }

  async artifact(taskId: string, runId: number, name: string): Promise<OpenArtifact | undefined> {
    const found = this.#follow(taskId, runId, name);
    const blobId = found && this.#blobIdOf(taskId, runId, found);
    const blob = blobId === undefined ? undefined : await this.#queue.blobs.open(blobId);
    return blob && { ...blob, contentType: found?.contentType ?? blob.contentType };
  }

  async groups(): Promise<GroupSummary[]> {
    const { lifecycle } = this.#queue;
    const records = [...lifecycle.collection.values()].sort(byCreation);
    return [...Map.groupBy(records, ({ task }) => task.taskGroupId)].map(([groupId, members]) => ({
      groupId,
      name: members[0]?.task.metadata.name ?? '',
      states: members.map(stateOf),
    }));
  }

  async group(groupId: string): Promise<GroupView | undefined> {
    const { lifecycle, groups } = this.#queue;
    const records = groups.taskIds(groupId).flatMap((taskId) => lifecycle.find(taskId) ?? []);
    return records.length === 0 ? undefined : { groupId, tasks: records.sort(byCreation).map(groupTask) };
  }

  async act(taskId: string, action: TaskAction): Promise<void> {
    const { database, lifecycle } = this.#queue;
    try {
      database.transaction(() => {
        const record = lifecycle.get(taskId);
        if (action === 'cancel') cancelTask(lifecycle, record);
        else rerunTask(lifecycle, record);
      });
    } catch (error) {
      throw error instanceof ApiError ? Object.assign(error, { statusCode: error.status }) : error;
    }
  }

  async #artifactsOf(taskId: string, runId: number): Promise<ArtifactView[]> {
    const all = this.#queue.artifacts.collection.values({ prefix: `${taskId}/${runId}/` });
    return await Promise.all(
      all.filter(isPresent).map((artifact) => this.#artifactView(taskId, runId, artifact)),
    );
  }

  async #artifactView(taskId: string, runId: number, artifact: Artifact): Promise<ArtifactView> {
    const { name, contentType, storageType, details } = artifact;
    if (storageType === 'error') return { name, contentType, error: details.message };
    if (storageType === 'reference') return { name, contentType, elsewhere: details.url };
    const content = this.#follow(taskId, runId, name);
    const blobId = content && this.#blobIdOf(taskId, runId, content);
    const bytes = blobId === undefined ? undefined : await this.#queue.blobs.size(blobId);
    return { name, contentType, bytes: content?.contentLength ?? bytes };
  }

  /** The log as an artifact, once it is one: what the name under which it is served while it grows leads to. */
  #keptLog({ taskId, task }: TaskRecord, runId: number): string | undefined {
    const { log } = task.payload;
    const found = this.#follow(
      taskId,
      runId,
      typeof log === 'string' && log !== '' ? log : 'public/logs/live.log',
    );
    return found && this.#blobIdOf(taskId, runId, found);
  }

  #follow(taskId: string, runId: number, name: string): Content | undefined {
    return unlessMissing(() => this.#queue.artifacts.follow(taskId, runId, name, () => {}));
  }

  #blobIdOf(taskId: string, runId: number, artifact: Content): string | undefined {
    if (artifact.storageType === 's3') return artifact.details.blobId;
    if (artifact.storageType !== 'object') return undefined;
    return unlessMissing(() => this.#queue.objects.get(objectName(taskId, runId, artifact.name)).blobId);
  }
}

function groupTask(record: TaskRecord): GroupTask {
  const { taskId, task, runs } = record;
  const run = runs.at(-1);
  return {
    taskId,
    runId: runs.length === 0 ? undefined : runs.length - 1,
    name: task.metadata.name,
    state: stateOf(record),
    reason: run?.reasonResolved,
    dependencies: task.dependencies,
    started: run?.started,
    resolved: run?.resolved,
    actions: actionsOf(record),
  };
}

function actionsOf(record: TaskRecord): TaskAction[] {
  if (!isResolved(record)) return ['cancel'];
  return Date.parse(record.task.deadline) > Date.now() ? ['rerun'] : [];
}

/** What the worker knows, up to the end that the queue knows of. */
function phasesOf({ scheduled, started, resolved }: Run, details: RunDetails | undefined): Phase[] {
  const waiting: Phase = { name: 'waiting', from: scheduled, until: started ?? resolved };
  if (started === undefined) return [waiting];
  const known: Phase[] = details?.phases ?? [{ name: 'running', from: started }];
  return [waiting, ...known.map((phase) => ({ ...phase, until: phase.until ?? resolved }))];
}

function byCreation(one: TaskRecord, other: TaskRecord): number {
  return one.task.created < other.task.created ? -1 : one.task.created > other.task.created ? 1 : 0;
}

function unlessMissing<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
