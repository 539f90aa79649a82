import type { IncomingMessage } from 'node:http';
import type { Logger, RequestMetrics } from '@docker-worker/service-kit';
import type { Target } from '../target/resolve-target.ts';

export interface ExchangeOutcome {
  /** Status the client saw; 499 when it left before any. */
  status: number;
  responseBytes: number;
  /** What went wrong with the upstream, if anything. */
  error: Error | undefined;
}

export interface ExchangeRecordOptions {
  metrics: RequestMetrics;
  logger: Logger;
  /** Called after each request, while the proxy drains. */
  onIdle(): void;
}

/** Metrics and log of what was forwarded. */
export class ExchangeRecord {
  readonly #options: ExchangeRecordOptions;
  /** From now on each answer closes its connection. */
  isDraining = false;

  constructor(options: ExchangeRecordOptions) {
    this.#options = options;
  }

  finish(
    { target, request, startedAt }: { target: Target; request: IncomingMessage; startedAt: number },
    { status, responseBytes, error }: ExchangeOutcome,
  ): void {
    const { metrics, logger, onIdle } = this.#options;
    const method = request.method ?? '';
    const seconds = (performance.now() - startedAt) / 1000;
    const requestBytes = Number(request.headers['content-length'] ?? 0);
    metrics.observe({ method, status, route: target.route, seconds, requestBytes, responseBytes });
    if (error) logger.warn({ method, host: target.host, status, err: error }, 'the upstream failed');
    else if (logger.isLevelEnabled('debug'))
      logger.debug({ method, host: target.host, status, seconds }, 'forwarded');
    if (this.isDraining) onIdle();
  }

  /** What names no target. */
  refused(method: string, status: number, responseBytes: number): void {
    this.#options.metrics.observe({
      method,
      status,
      route: 'none',
      seconds: 0,
      requestBytes: 0,
      responseBytes,
    });
  }
}
