import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Container, ContainerCreateOptions, ContainerInspectInfo } from 'dockerode';
import { unlessAborted } from '../async/unless-aborted.ts';
import type { ContainerWatch } from '../engine/container-deaths.ts';
import type { Engine } from '../engine/engine.ts';
import { removedOrLost } from '../engine/engine-lost.ts';
import { withIdleLimit } from '../engine/with-idle-limit.ts';
import { containerArchive } from './container-archive.ts';
import { removeContainer } from './remove-container.ts';

/** After the exit, output that does not come for so long is not coming. */
const usualOutputIdleMs = 30_000;

/** A task's container from creation to removal. */
export interface TaskContainer extends AsyncDisposable {
  id: string;
  /** Starts it; everything it prints goes to `output`, with back-pressure. */
  start(output: Writable): Promise<RunningContainer>;
}

export interface RunningContainer {
  id: string;
  /** Settles when the container has exited and its output has been written; rejects when the engine is lost. */
  exited: Promise<ContainerExit>;
  kill(): Promise<void>;
  /** Docker's tar stream of a path inside the container, also after its exit. */
  archive(path: string): Promise<Readable>;
}

export interface ContainerExit {
  exitCode: number;
  outOfMemory: boolean;
}

/** Of a task, which nobody looks at: programs divide by it. */
export const terminal = { rows: 24, columns: 80 };

export async function createTaskContainer(
  engine: Engine,
  options: ContainerCreateOptions,
  { outputIdleMs = usualOutputIdleMs } = {},
): Promise<TaskContainer> {
  const { docker, lost, deaths } = engine;
  const container = await docker.createContainer(options);
  const watch = deaths.watch(container.id);
  return {
    id: container.id,
    async start(output) {
      const stream = await container.attach({ stream: true, stdout: true, stderr: true });
      const bytes = stream as unknown as Readable;
      const written = pipeline(bytes, output, { end: false });
      // Whoever waits for the exit is told; until then nobody listens.
      written.catch(() => {});
      try {
        await container.start();
      } catch (error) {
        bytes.destroy();
        throw error;
      }
      // Newer engines have made it so large from the start.
      void container.resize({ h: terminal.rows, w: terminal.columns }).catch(() => {});
      const exited = unlessAborted(lost, exitOf());
      exited.catch(() => {});
      return {
        id: container.id,
        exited,
        async kill() {
          await container.kill().catch(() => {});
        },
        archive: (path) => containerArchive(container, path),
      };

      async function exitOf(): Promise<ContainerExit> {
        const broken = written.then(() => new Promise<never>(() => {}));
        const known = await Promise.race([exit(container, watch, written), broken]);
        await withIdleLimit(bytes, outputIdleMs, written);
        const state = known ?? (await container.inspect()).State;
        return { exitCode: state.ExitCode, outOfMemory: state.OOMKilled };
      }
    },
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await removedOrLost(engine, () => removeContainer(docker, container.id));
    },
  };
}

/**
 * Settles when a container that has been started has exited, by whatever tells of it first: the answer to who waits, the
 * engine's event, or the end of the output; with its state, if that was asked for on the way. The wait begins after the
 * start: an engine takes requests on two connections in any order, and the next exit of a container that has exited never
 * comes.
 */
async function exit(
  container: Container,
  watch: ContainerWatch,
  written: Promise<void>,
): Promise<ContainerInspectInfo['State'] | undefined> {
  let asking: Promise<ContainerInspectInfo['State']> | undefined;
  const answered = container.wait({ condition: 'not-running' });
  const ended = written.then(async () => {
    asking = container.inspect().then(({ State }) => State);
    if ((await asking).Running) {
      await answered;
    }
  });
  await Promise.any([answered, watch.died, ended]);
  // Asked while the container was about to exit, it may not have known.
  const state = await asking?.catch(() => undefined);
  return state?.Running ? undefined : state;
}
