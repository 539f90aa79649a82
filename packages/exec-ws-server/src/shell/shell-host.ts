import { randomBytes } from 'node:crypto';
import type { Logger } from '@docker-worker/service-kit';
import type Docker from 'dockerode';
import { endProcesses, sessionMarker } from './end-processes.ts';
import { ExecProcess, type ProcessRequest } from './exec-process.ts';

export interface ShellHostOptions {
  docker: Docker;
  /** Id or name of the one container that is served. */
  container: string;
  /** A POSIX shell in it, by which left processes are ended. */
  supervisor: readonly string[];
  graceSeconds: number;
  logger: Logger;
}

/** A started process and what has to be done when its client has gone. */
export interface HostedProcess {
  process: ExecProcess;
  /** Ends it and all that it has started. Never rejects. */
  end(): Promise<void>;
}

/** The container in which sessions have their processes. */
export class ShellHost {
  readonly #options: ShellHostOptions;

  constructor(options: ShellHostOptions) {
    this.#options = options;
  }

  /** @throws the engine's answer, as when the container does not run */
  async start(request: ProcessRequest): Promise<HostedProcess> {
    const { docker, container, supervisor, graceSeconds, logger } = this.#options;
    const session = randomBytes(9).toString('hex');
    const env = [...(request.env ?? []), sessionMarker(session)];
    const process = await ExecProcess.start(docker, container, { ...request, env });
    return {
      process,
      async end() {
        process.detach();
        try {
          await endProcesses(docker, container, { shell: supervisor, session, graceSeconds });
        } catch (error) {
          if (!isStopped(error)) {
            logger.error({ err: error }, 'the processes of a session could not be ended');
          }
        }
      },
    };
  }
}

/** A container that has stopped, or is gone, has no processes left. */
function isStopped(error: unknown): boolean {
  const { statusCode } = error as { statusCode?: number };
  return statusCode === 404 || statusCode === 409;
}
