import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Container, ContainerCreateOptions } from 'dockerode';
import { unlessAborted } from '../async/unless-aborted.ts';
import { type Engine, engineStatus } from './engine.ts';
import { removedOrLost } from './engine-lost.ts';
import { removeContainer } from './remove-container.ts';
import { withIdleLimit } from './with-idle-limit.ts';

/** After the exit, output that does not come for so long is not coming. */
const outputIdleMs = 30_000;

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
): Promise<TaskContainer> {
  const { docker, lost } = engine;
  const container = await docker.createContainer(options);
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
      const exited = unlessAborted(lost, exitOf(container, bytes, written));
      exited.catch(() => {});
      return {
        id: container.id,
        exited,
        async kill() {
          await container.kill().catch(() => {});
        },
        async archive(path) {
          return (await container.getArchive({ path })) as Readable;
        },
      };
    },
    [Symbol.asyncDispose]: () => removedOrLost(engine, () => removeContainer(docker, container.id)),
  };
}

/**
 * The exit of a container that has been started. It is asked for after the start: an engine takes requests on two
 * connections in any order, and to wait for the next exit of one that has exited would never end. The end of the
 * output tells of the exit as well, if the answer does not come.
 */
async function exitOf(container: Container, bytes: Readable, written: Promise<void>): Promise<ContainerExit> {
  const answered = container.wait({ condition: 'not-running' });
  answered.catch(() => {});
  const ended = written.then(() => isRunning(container)).then((running) => running && answered);
  ended.catch(() => {});
  await Promise.race([answered, ended]);
  await withIdleLimit(bytes, outputIdleMs, written);
  const { State: state } = await container.inspect();
  return { exitCode: state.ExitCode, outOfMemory: state.OOMKilled };
}

async function isRunning(container: Container): Promise<boolean> {
  try {
    return (await container.inspect()).State.Running;
  } catch (error) {
    if (engineStatus(error) === 404) {
      return false;
    }
    throw error;
  }
}
