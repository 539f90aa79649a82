import type { RunDetails, WorkerRuns } from '@docker-worker/local-taskcluster';
import type { Phase } from '@docker-worker/run-page';
import type { Engine } from '../engine/engine.ts';
import type { Run } from '../run/run.ts';
import { ChangeListeners } from './change-listeners.ts';
import { ImageSizes } from './image-sizes.ts';
import { runPhases } from './run-phases.ts';

type Dated = Pick<Run, 'claimed' | 'imageReady' | 'started' | 'exited' | 'image'>;

interface EndedRun extends Dated {
  over: Date;
}

/** What a page tells of the runs of a worker in this process: those that it has, and how long the parts of earlier ones took. */
export class PageRuns extends ChangeListeners implements WorkerRuns {
  readonly #images: ImageSizes;
  readonly #open = new Map<string, Run>();
  readonly #ended = new Map<string, EndedRun>();

  constructor(engine: Pick<Engine, 'docker'>) {
    super();
    this.#images = new ImageSizes(engine);
  }

  opened(run: Run): void {
    this.#open.set(keyOf(run.taskId, run.runId), run);
    this.changed();
  }

  /** Nothing is left of a run but what the queue has. */
  disposed({ taskId, runId }: { taskId: string; runId: number }): void {
    const key = keyOf(taskId, runId);
    const run = this.#open.get(key);
    if (run !== undefined) {
      this.#open.delete(key);
      const { claimed, imageReady, started, exited, image } = run;
      this.#ended.set(key, { claimed, imageReady, started, exited, image, over: new Date() });
      this.changed();
    }
  }

  async details(taskId: string, runId: number): Promise<RunDetails | undefined> {
    const key = keyOf(taskId, runId);
    const run = this.#open.get(key);
    if (run !== undefined) {
      const phases = await this.#phasesOf(run);
      const shell = run.exited === undefined ? run.links.get('shell') : undefined;
      return { phases, log: run.log, shell };
    }
    const ended = this.#ended.get(key);
    return ended && { phases: await this.#phasesOf(ended, ended.over), log: undefined, shell: undefined };
  }

  async #phasesOf(run: Dated, over?: Date): Promise<Phase[]> {
    const image = run.image === undefined ? undefined : await this.#images.text(run.image.hash);
    return runPhases(run, image, over);
  }
}

function keyOf(taskId: string, runId: number): string {
  return `${taskId}/${runId}`;
}
