import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { ServiceError } from '../service-error.ts';
import { registerProcessMetrics } from '../telemetry/process-metrics.ts';

export interface AdminListenerOptions {
  address: string;
  /** 0 takes a free one. */
  port: number;
  metrics: Registry;
  version: { name: string; version: string; revision: string };
  isReady(): boolean;
  /** What `/health` tells beside whether it is ready. */
  health(): object | Promise<object>;
}

export interface AdminListener extends AsyncDisposable {
  port: number;
}

/**
 * Serves `/live`, `/ready`, `/health`, `/metrics` and `/version`. A listener of its own, so that no path of it can
 * ever hide a path of the proxied service, and nothing that can reach the data port can reach it.
 */
export async function openAdminListener(options: AdminListenerOptions): Promise<AdminListener> {
  const server = http.createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(response, 405, 'method not allowed\n');
    switch (request.url) {
      case '/live':
        return answer(response, 200, 'live\n');
      case '/ready':
        return options.isReady() ? answer(response, 200, 'ready\n') : answer(response, 503, 'not ready\n');
      case '/health':
        return void answerHealth(options, response);
      case '/version':
        return answer(response, 200, JSON.stringify(options.version), 'application/json');
      case '/metrics':
        registerProcessMetrics(options.metrics);
        options.metrics.metrics().then(
          (text) => answer(response, 200, text, options.metrics.contentType),
          () => answer(response, 500, 'metrics are not available\n'),
        );
        return;
      default:
        return answer(response, 404, 'not found\n');
    }
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ServiceError(`admin listener (--admin-address, --admin-port): ${error.message}`)),
    );
    server.listen(options.port, options.address, resolve);
  });
  // Health must not keep a process alive that has nothing else to do.
  server.unref();

  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answerHealth(
  { isReady, health }: AdminListenerOptions,
  response: ServerResponse,
): Promise<void> {
  const ready = isReady();
  try {
    answer(response, ready ? 200 : 503, JSON.stringify({ ready, ...(await health()) }), 'application/json');
  } catch {
    answer(response, 500, 'health is not available\n');
  }
}

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
