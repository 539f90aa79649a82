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

/** How often something has happened, and how much of that its metric knows. */
interface Cell {
  labels: { method: string; status: string; route: string };
  count: number;
  told: number;
}

/**
 * Counts requests, seconds and bytes; labels have few values, so that clients cannot grow them. What can be
 * is counted in plain numbers, which the metrics are told when somebody asks for them: their own way of
 * counting begins with making a text of all labels.
 */
export class RequestMetrics {
  readonly #seconds: Histogram<'route'>;
  readonly #cells = new Map<string, Map<number, Map<string, Cell>>>();
  #bytesUp = 0;
  #bytesDown = 0;

  constructor(registry: Registry) {
    const registers = [registry];
    const cells = this.#cells;
    const takeBytes = () => this.#takeBytes();
    new Counter({
      name: 'proxy_requests_total',
      help: 'Requests answered, by method, status and route.',
      labelNames: ['method', 'status', 'route'],
      registers,
      collect() {
        for (const statuses of cells.values())
          for (const methodsOf of statuses.values())
            for (const cell of methodsOf.values()) {
              this.inc(cell.labels, cell.count - cell.told);
              cell.told = cell.count;
            }
      },
    });
    this.#seconds = new Histogram({
      name: 'proxy_request_seconds',
      help: 'Time from the request to the end of its answer.',
      labelNames: ['route'],
      buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
      registers,
    });
    new Counter({
      name: 'proxy_body_bytes_total',
      help: 'Bytes of bodies, sent to upstreams (up) and to clients (down).',
      labelNames: ['direction'],
      registers,
      collect() {
        const { up, down } = takeBytes();
        if (up > 0) this.inc({ direction: 'up' }, up);
        if (down > 0) this.inc({ direction: 'down' }, down);
      },
    });
  }

  observe({ method, status, route, seconds, requestBytes, responseBytes }: ServedRequest): void {
    this.#cell(methods.has(method) ? method : 'other', status, route).count += 1;
    this.#seconds.observe({ route }, seconds);
    this.#bytesUp += requestBytes;
    this.#bytesDown += responseBytes;
  }

  #cell(method: string, status: number, route: string): Cell {
    const known = this.#cells.get(route)?.get(status)?.get(method);
    if (known) return known;
    const statuses = this.#cells.get(route) ?? new Map<number, Map<string, Cell>>();
    const methodsOf = statuses.get(status) ?? new Map<string, Cell>();
    const cell = { labels: { method, status: String(status), route }, count: 0, told: 0 };
    this.#cells.set(route, statuses.set(status, methodsOf.set(method, cell)));
    return cell;
  }

  #takeBytes(): { up: number; down: number } {
    const taken = { up: this.#bytesUp, down: this.#bytesDown };
    this.#bytesUp = 0;
    this.#bytesDown = 0;
    return taken;
  }
}
