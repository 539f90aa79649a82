import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A metadata service with these answers, by `METHOD path?query`; whatever else is asked for is not there. */
export interface MetadataServer extends AsyncDisposable {
  url: string;
  /** Can be changed at any time. A function sees the request's headers. */
  answers: Record<string, Answer>;
}

type Answer = string | ((headers: NodeJS.Dict<string | string[]>) => string | undefined | Promise<string>);

export async function startMetadataServer(answers: Record<string, Answer>): Promise<MetadataServer> {
  const server = createServer(async (request, response) => {
    const answer = answers[`${request.method} ${request.url}`];
    const text = typeof answer === 'function' ? await answer(request.headers) : answer;
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
