import type { ArtifactView, PageLog, PageSource, Phase, RunView, WorkerView } from '@docker-worker/run-page';
import type { Engine } from '../engine/engine.ts';
import { ChangeListeners } from '../pages/change-listeners.ts';
import { ImageSizes } from '../pages/image-sizes.ts';
import type { RecentProblems } from '../pages/recent-problems.ts';
import { runPhases } from '../pages/run-phases.ts';
import type { KeptThing } from '../run/kept-thing.ts';
import type { Run } from '../run/run.ts';
import { type ContainerStatus, type Observed, type WorkerStatus, workerStatus } from './worker-status.ts';

/** The sizes of images and caches are asked for again after so long, when somebody looks. */
const keptForMs = 10_000;

/** The pages of a worker that belongs to a deployment: what it is doing, and each run that it has. */
export class WorkerPages extends ChangeListeners implements PageSource {
  readonly #observed: () => Observed;
  readonly #problems: RecentProblems;
  readonly #imageSizes = new WeakMap<Engine, ImageSizes>();
  #kept: { asked: number; changes: number; things: Promise<KeptThing[]> } | undefined;
  #changes = 0;
  #lookingAgain: NodeJS.Timeout | undefined;

  constructor(observed: () => Observed, problems: RecentProblems) {
    super();
    this.#observed = observed;
    this.#problems = problems;
  }

  override changed(): void {
    this.#changes += 1;
    super.changed();
  }

  async run(taskId: string, runId?: number): Promise<RunView | undefined> {
    const run = this.#find(taskId, runId);
    return (
      run && {
        ...{ taskId, runId: run.runId, otherRuns: [] },
        name: run.task.metadata.name,
        description: descriptionOf(run),
        state: 'running',
        phases: await this.#phasesOf(run),
        hasLog: true,
        artifacts: this.#artifactsOf(run),
        shell: run.exited === undefined ? run.links.get('shell') : undefined,
        scopes: run.task.scopes ?? [],
        definition: run.task,
        actions: [],
      }
    );
  }

  async log(taskId: string, runId: number): Promise<PageLog | undefined> {
    return this.#find(taskId, runId)?.log;
  }

  async worker(): Promise<WorkerView> {
    const observed = this.#observed();
    const [status, kept] = await Promise.all([workerStatus(observed), this.#keptThings()]);
    const runs = new Map([...observed.runs].map((run) => [`${run.taskId}/${run.runId}`, run]));
    const ofKind = (wanted: KeptThing['kind']) =>
      kept
        .filter(({ kind }) => kind === wanted)
        .map(({ name, bytes, hasMore, lastUsed }) => ({
          name,
          bytes,
          hasMore,
          lastUsed: lastUsed?.toJSON(),
        }));
    return {
      title: `${status.worker.pool} ${status.worker.group}/${status.worker.id}`,
      facts: factsOf(status),
      slots: status.capacity.slots,
      busy: status.capacity.running,
      runs: await Promise.all(
        status.runs.map(async ({ taskId, runId, name, links, containers }) => {
          const run = runs.get(`${taskId}/${runId}`);
          const phases = run === undefined ? [] : await this.#phasesOf(run);
          return { taskId, runId, name, phases, links: Object.entries(links), containers: shown(containers) };
        }),
      ),
      warm: shown(status.warm),
      images: ofKind('image'),
      caches: ofKind('cache'),
      problems: this.#problems.list(),
    };
  }

  #find(taskId: string, runId: number | undefined): Run | undefined {
    return [...this.#observed().runs].findLast(
      (run) => run.taskId === taskId && (runId === undefined || run.runId === runId),
    );
  }

  async #phasesOf(run: Run): Promise<Phase[]> {
    const { engine } = this.#observed();
    if (engine === undefined || run.image === undefined) {
      return runPhases(run);
    }
    const sizes = this.#imageSizes.get(engine) ?? new ImageSizes(engine);
    this.#imageSizes.set(engine, sizes);
    return runPhases(run, await sizes.text(run.image.hash));
  }

  /** They are on the queue, which gives those that are not public to whom it knows. */
  #artifactsOf({ taskId, runId, uploaded, host }: Run): ArtifactView[] {
    const { rootUrl } = host.config;
    return [...uploaded.keys()].map((name) => ({
      name,
      contentType: '',
      elsewhere: name.startsWith('public/')
        ? `${rootUrl}/api/queue/v1/task/${taskId}/runs/${runId}/artifacts/${encodeURIComponent(name)}`
        : `${rootUrl}/tasks/${taskId}/runs/${runId}`,
    }));
  }

  /** Asked for once by all who look within some time; what has changed meanwhile is told when that is over. */
  #keptThings(): Promise<KeptThing[]> {
    const age = Date.now() - (this.#kept?.asked ?? Number.NEGATIVE_INFINITY);
    if (this.#kept === undefined || age >= keptForMs) {
      const things =
        this.#observed()
          .kept?.()
          .catch(() => []) ?? Promise.resolve([]);
      this.#kept = { asked: Date.now(), changes: this.#changes, things };
    } else if (this.#kept.changes !== this.#changes) {
      this.#lookingAgain ??= setTimeout(() => {
        this.#lookingAgain = undefined;
        this.changed();
      }, keptForMs - age).unref();
    }
    return this.#kept.things;
  }
}

function descriptionOf({ task }: Run): string {
  const { description } = task.metadata;
  return typeof description === 'string' ? description : '';
}

function factsOf({ worker, versions, capacity, disk }: WorkerStatus): WorkerView['facts'] {
  return [
    ['State', worker.state],
    ['Running since', timeText(Date.now() - worker.upSeconds * 1000)],
    ['Tasks', `${capacity.running} of ${capacity.slots}`],
    [
      'Free disk',
      `${gigabytes(disk.freeBytes)}, of which each task needs ${gigabytes(disk.neededBytesPerTask)}`,
    ],
    [
      'Versions',
      `docker-worker ${versions.worker}, Node ${versions.node}, Docker Engine ${versions.engine ?? 'unknown'}`,
    ],
  ];
}

function shown(containers: ContainerStatus[]): WorkerView['warm'] {
  return containers.map(({ role, id, state }) => ({ role, id, state }));
}

/** As in `2026-11-29 02:17 UTC`. */
function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toJSON().slice(0, 16).replace('T', ' ')} UTC`;
}

function gigabytes(bytes: number | undefined): string {
  return bytes === undefined ? 'unknown' : `${(bytes / 1e9).toFixed(1)} GB`;
}
