import { mkdtempDisposable } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { listening } from '@docker-worker/service-kit/testing/listening';

/** What becomes of the one process that the stand-in runs, and when; times in milliseconds. */
export interface ExecCourse {
  /** How long each request lies before it is answered; `undefined` is never. */
  delays: Record<'create' | 'start' | 'inspect', number | undefined>;
  output: string;
  /** From its last output until the end of that, and from there until the engine knows the exit code; negative is before. */
  endsAfter: number;
  knownAfter: number;
  exitCode: number;
}

/** An engine with one process in one container, which takes requests in any order and is slow. */
export async function execStandIn(course: ExecCourse): Promise<AsyncDisposable & { socketPath: string }> {
  const { delays, output, endsAfter, knownAfter, exitCode } = course;
  const folder = await mkdtempDisposable(join(tmpdir(), 'exec-'));
  const socketPath = join(folder.path, 'docker.sock');
  const over = new AbortController();
  let isRunning = true;

  const after = async (ms: number | undefined, act: () => void) => {
    if (ms !== undefined) {
      await setTimeout(ms, undefined, { signal: over.signal }).then(act, () => {});
    }
  };
  const json = (response: ServerResponse, status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  const server = createServer((request, response) => {
    if (request.url?.endsWith('/json')) {
      void after(delays.inspect, () =>
        json(response, 200, { Running: isRunning, ExitCode: isRunning ? null : exitCode }),
      );
    } else {
      void after(delays.create, () => json(response, 201, { Id: 'exec' }));
    }
  });
  server.on('upgrade', (_request, socket: Socket) => {
    void after(delays.start, () => {
      socket.write(`HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n${output}`);
      void after(endsAfter, () => socket.end());
      void after(Math.max(0, endsAfter + knownAfter), () => {
        isRunning = false;
      });
    });
  });
  const listens = await listening(server, { path: socketPath });
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      over.abort();
      await listens[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}
