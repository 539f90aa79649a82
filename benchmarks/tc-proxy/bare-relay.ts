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

  onConnect(): void {}

  onHeaders(status: number, headers: Buffer[]): boolean {
    this.#response.writeHead(
      status,
      headers.map((each) => each.toString('latin1')),
    );
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#body += chunk.toString('latin1');
    return true;
  }

  onComplete(): void {
    this.#response.end(this.#body, 'latin1');
  }

  onError(): void {
    this.#response.destroy();
  }
}

createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
  const { url: path = '/' } = request;
  agent.dispatch({ origin: `http://127.0.0.1:${upstreamPort}`, path, method: 'GET' }, new Answer(response));
}).listen(port, '127.0.0.1');
