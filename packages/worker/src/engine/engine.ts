import { once } from 'node:events';
import type { Readable } from 'node:stream';
import Docker from 'dockerode';
import { UserError } from '../user-error.ts';

/** A connection to the Docker Engine that knows when it is lost. */
export interface Engine extends AsyncDisposable {
  docker: Docker;
  /**
   * Aborted when the engine goes away. Waiting for a container does not settle then, and its output ends as
   * if it had finished, so whoever waits must race with this.
   */
  lost: AbortSignal;
}

/** Connects by `DOCKER_HOST` or `/var/run/docker.sock`; throws EngineUnavailable with what to do about it. */
export async function connectEngine(): Promise<Engine> {
  const docker = new Docker();
  const lost = new AbortController();
  const leaving = new AbortController();
  let events: Readable;
  try {
    // Nothing passes this filter: the stream is open for its end, not for its events.
    events = (await docker.getEvents({ filters: { label: ['docker-worker.none'] } })) as Readable;
  } catch (error) {
    throw new EngineUnavailable(error as NodeJS.ErrnoException);
  }
  events.on('error', () => {});
  events.resume();
  once(events, 'close', { signal: leaving.signal }).then(
    () => lost.abort(new Error('the connection to the Docker Engine was lost')),
    () => {},
  );
  return {
    docker,
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      leaving.abort();
      events.destroy();
    },
  };
}

export class EngineUnavailable extends UserError {
  constructor(cause: NodeJS.ErrnoException) {
    const where = process.env.DOCKER_HOST ?? '/var/run/docker.sock';
    const fix =
      cause.code === 'EACCES'
        ? `this user may not use it: run as root, or join the group that owns it ("sudo usermod -aG docker $USER", then log in again)`
        : `start it ("systemctl start docker", or "dockerd" by hand), or set DOCKER_HOST`;
    super(`No Docker Engine answers at ${where} (${cause.code ?? cause.message}): ${fix}.`, { cause });
    this.name = 'EngineUnavailable';
  }
}

/** Docker's own words in an error of its API, else the error's. */
export function engineMessage(error: unknown): string {
  const { json, message } = error as { json?: { message?: string }; message?: string };
  return (json?.message ?? message ?? String(error)).trim();
}

export function engineStatus(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}
