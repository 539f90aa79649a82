import http from 'node:http';
import { Counter, Histogram, type Registry } from 'prom-client';

export interface ServedRequest {
  method: string;
  status: number;
  /** Which route of the service, a name from a small fixed set. */
  route: string;
  seconds: number;
  requestBytes: number;
  responseBytes: number;
}

const methods = new Set(http.METHODS);

/** Counts requests, seconds and bytes; labels have few values, so that clients cannot grow them. */
export class RequestMetrics {
  readonly #requests: Counter<'method' | 'status' | 'route'>;
  readonly #seconds: Histogram<'route'>;
  readonly #bytes: Counter<'direction'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'proxy_requests_total',
      help: 'Requests answered, by method, status and route.',
      labelNames: ['method', 'status', 'route'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'proxy_request_seconds',
      help: 'Time from the request to the end of its answer.',
      labelNames: ['route'],
      buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
      registers,
    });
    this.#bytes = new Counter({
      name: 'proxy_body_bytes_total',
      help: 'Bytes of bodies, sent to upstreams (up) and to clients (down).',
      labelNames: ['direction'],
      registers,
    });
  }

  observe({ method, status, route, seconds, requestBytes, responseBytes }: ServedRequest): void {
    this.#requests.inc({ method: methods.has(method) ? method : 'other', status, route });
    this.#seconds.observe({ route }, seconds);
    if (requestBytes > 0) this.#bytes.inc({ direction: 'up' }, requestBytes);
    if (responseBytes > 0) this.#bytes.inc({ direction: 'down' }, responseBytes);
  }
}
