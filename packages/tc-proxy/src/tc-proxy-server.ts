import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  createServiceServer,
  type Logger,
  parseHttpUrl,
  type RequestMetrics,
} from '@docker-worker/service-kit';
import { Forwarder } from './forward/forwarder.ts';
import type { RetryPolicy } from './forward/retry-policy.ts';
import { isWebSocketRequest } from './forward/web-socket-tunnel.ts';
import { routeName } from './routes/route-name.ts';
import type { CredentialHolder } from './signing/credential-holder.ts';
import type { TargetGuard } from './target/target-guard.ts';
import type { Upstreams } from './upstream/upstreams.ts';

export interface TcProxyServerOptions {
  rootUrl: string;
  credentials: CredentialHolder;
  credentialsEndpoint: boolean;
  /** Connections to upstreams, which verify TLS; tests pass their own. */
  upstreams: Pick<Upstreams, 'root' | 'hosts'>;
  /** Which hosts clients may name. */
  guard: TargetGuard;
  retry: RetryPolicy;
  /** For tests: milliseconds of silence after which connections of clients are closed. */
  silentMs?: number;
  metrics: RequestMetrics;
  logger: Logger;
}

/** From the start, when the first request is likely to come, to the loading of what hardly any request needs. */
const quietMs = 1_000;

/**
 * The whole proxy. Requests are forwarded from Node's server itself: a router would decode the client's bytes, refuse
 * some of them, and take its time. The few routes of our own are a Fastify app behind it, loaded when one
 * of them is asked for, or a moment after the start, which is the quicker by that.
 */
export class TcProxyServer {
  readonly server: Server;
  readonly #options: TcProxyServerOptions;
  readonly #forwarder: Forwarder;
  #isClosing = false;
  #ownRoutes: Promise<RequestListener> | undefined;
  #quiet: NodeJS.Timeout | undefined;

  constructor(options: TcProxyServerOptions) {
    const root = parseHttpUrl(options.rootUrl);
    if (!root) throw new TypeError('rootUrl is not an http or https URL');
    this.#options = options;
    this.server = createServiceServer((request, response) => this.#handle(request, response), {
      shouldUpgrade: isWebSocketRequest,
      silentMs: options.silentMs,
      // Requests without a body get no stream for it.
      http: { optimizeEmptyRequests: true },
    });
    this.#forwarder = new Forwarder({
      ...options,
      root,
      // What has become idle now must not hold up the close until its keep-alive time is over.
      onIdle: () => setImmediate(() => this.server.closeIdleConnections()),
    });
    this.server.on('connect', (_, socket: Socket) => socket.end(connectRefusal));
    this.server.on('upgrade', (request, socket, head) =>
      this.#forwarder.upgrade(request.url ?? '/', request, socket, head),
    );
  }

  async listen(address: { port: number; host: string }): Promise<void> {
    this.server.listen(address);
    await once(this.server, 'listening');
    this.#quiet = setTimeout(() => void this.loadOwnRoutes(), quietMs).unref();
  }

  /** Stops accepting; resolves when nothing is in flight. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#quiet);
    const closed = this.server.listening ? once(this.server, 'close') : undefined;
    this.server.close();
    await this.#forwarder.drain();
    this.server.closeIdleConnections();
    await closed;
  }

  loadOwnRoutes(): Promise<RequestListener> {
    this.#ownRoutes ??= import('./routes/own-routes.ts').then(({ createOwnRoutes }) =>
      createOwnRoutes(this.#options),
    );
    return this.#ownRoutes;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '/' } = request;
    try {
      if (routeName(method, url, this.#options.credentialsEndpoint)) void this.#answer(request, response);
      else this.#forwarder.forward(url, request, response);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.#isClosing) response.setHeader('Connection', 'close');
      const listener = await this.loadOwnRoutes();
      listener(request, response);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  /** Nobody else answers, and a client must not wait for ever. */
  #fail(response: ServerResponse, error: unknown): void {
    this.#options.logger.error({ err: error }, 'a request could not be handled');
    response.destroy();
  }
}

const connectRefusal = 'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
