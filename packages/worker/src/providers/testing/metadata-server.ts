import { startServer } from '@docker-worker/service-kit/testing/http-server';

/** A metadata service with these answers, by `METHOD path?query`; whatever else is asked for is not there. */
export interface MetadataServer extends AsyncDisposable {
  url: string;
  /** Can be changed at any time. A function sees the request's headers. */
  answers: Record<string, Answer>;
}

type Answer = string | ((headers: NodeJS.Dict<string | string[]>) => string | undefined | Promise<string>);

export async function startMetadataServer(answers: Record<string, Answer>): Promise<MetadataServer> {
  const server = await startServer(async (request, response) => {
    const answer = answers[`${request.method} ${request.url}`];
    const text = typeof answer === 'function' ? await answer(request.headers) : answer;
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  return { ...server, answers };
}
