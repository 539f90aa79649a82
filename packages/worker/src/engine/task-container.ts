import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ContainerCreateOptions } from 'dockerode';
import { unlessAborted } from '../async/unless-aborted.ts';
import type { Engine } from './engine.ts';
import { removeContainer } from './remove-container.ts';

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
  { docker, lost }: Engine,
  options: ContainerCreateOptions,
): Promise<TaskContainer> {
  const container = await docker.createContainer(options);
  return {
    id: container.id,
    async start(output) {
      const stream = await container.attach({ stream: true, stdout: true, stderr: true });
      // Asked for before the start, so that even the shortest task's exit is seen.
      const exit = container.wait({ condition: 'next-exit' }) as Promise<{ StatusCode: number }>;
      const written = pipeline(stream as unknown as Readable, output, { end: false });
      try {
        await container.start();
      } catch (error) {
        (stream as unknown as Readable).destroy();
        exit.catch(() => {});
        written.catch(() => {});
        throw error;
      }
      // Newer engines have made it so large from the start.
      void container.resize({ h: terminal.rows, w: terminal.columns }).catch(() => {});
      return {
        id: container.id,
        exited: unlessAborted(
          lost,
          Promise.all([exit, written]).then(async ([{ StatusCode: exitCode }]) => {
            const { State: state } = await container.inspect();
            return { exitCode, outOfMemory: state.OOMKilled };
          }),
        ),
        async kill() {
          await container.kill().catch(() => {});
        },
        async archive(path) {
          return (await container.getArchive({ path })) as Readable;
        },
      };
    },
    [Symbol.asyncDispose]: () => removeContainer(docker, container.id),
  };
}
