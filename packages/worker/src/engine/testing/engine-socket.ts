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
    const [version = '', minor] = /^\/v1\.(\d+)(?=\/)/.exec(request.url ?? '') ?? [];
    request.url = request.url?.slice(version.length) ?? '';
    const refusal = minor === undefined ? undefined : refusalOf(Number(minor), facts);
    if (refusal !== undefined) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: refusal }));
      return;
    }
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

/** In the words of Docker Engine 28. */
function refusalOf(minor: number, { version }: EngineFacts): string | undefined {
  const { MinAPIVersion, ApiVersion } = version as Record<string, string>;
  const [least = 0, most = Number.POSITIVE_INFINITY] = [MinAPIVersion, ApiVersion].map((one) =>
    Number(one?.split('.')[1]),
  );
  if (minor < least) {
    return `client version 1.${minor} is too old. Minimum supported API version is ${MinAPIVersion}, please upgrade your client to a newer version`;
  }
  return minor > most
    ? `client version 1.${minor} is too new. Maximum supported API version is ${ApiVersion}`
    : undefined;
}
