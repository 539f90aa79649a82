import { mkdtempDisposable } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { dockerFacts, type EngineFacts } from './docker-facts.ts';

export interface EngineSocket extends AsyncDisposable {
  socketPath: string;
  /** The targets of all other requests, without the version of the API. */
  asked: string[];
}

/**
 * Something that listens where an engine would, and answers as it is told to. What it is asked when somebody connects is
 * answered with `facts`, and not told.
 */
export async function engineSocket(
  answer: RequestListener,
  onUpgrade?: Parameters<Server['on']>[1],
  facts: EngineFacts = dockerFacts,
): Promise<EngineSocket> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'engine-'));
  const socketPath = join(folder.path, 'docker.sock');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.url = request.url?.replace(/^\/v\d+\.\d+(?=\/)/, '') ?? '';
    const fact = /^\/(version|info)$/.exec(request.url)?.[1] as keyof EngineFacts | undefined;
    if (fact !== undefined) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(facts[fact]));
      return;
    }
    asked.push(request.url);
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
