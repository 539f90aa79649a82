import { createServer, type ServerResponse } from 'node:http';
import { Agent, type Dispatcher } from 'undici';

/**
 * The least that Node's HTTP server and undici can do: GETs are passed on and nothing is signed, checked, counted or logged.
 *
 *   node bare-relay.ts UPSTREAM_PORT PORT
 */
const [upstreamPort, port] = process.argv.slice(2).map(Number);
const agent = new Agent({ connections: 128, pipelining: 1 });

class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  #body = '';

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart({ rawHeaders }: Dispatcher.DispatchController, status: number): void {
    const headers = rawHeaders as Buffer[];
    this.#response.writeHead(
      status,
      headers.map((each) => each.toString('latin1')),
    );
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#body += chunk.toString('latin1');
  }

  onResponseEnd(): void {
    this.#response.end(this.#body, 'latin1');
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}

createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
  const { url: path = '/' } = request;
  agent.dispatch({ origin: `http://127.0.0.1:${upstreamPort}`, path, method: 'GET' }, new Answer(response));
}).listen(port, '127.0.0.1');
