import { mkdtempDisposable } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening } from '@docker-worker/service-kit/testing/listening';

export interface EngineSocket extends AsyncDisposable {
  socketPath: string;
  /** The targets of all requests, as they came. */
  asked: string[];
}

/** Something that listens where an engine would, and answers as it is told to. */
export async function engineSocket(
  answer: RequestListener,
  onUpgrade?: Parameters<Server['on']>[1],
): Promise<EngineSocket> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'engine-'));
  const socketPath = join(folder.path, 'docker.sock');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  if (onUpgrade !== undefined) {
    server.on('upgrade', onUpgrade);
  }
  const listens = await listening(server, { path: socketPath });
  return {
    socketPath,
    asked,
    async [Symbol.asyncDispose]() {
      await listens[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}
