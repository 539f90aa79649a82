import { hostname } from 'node:os';
import { workerPoolId } from '../config/config.ts';
import type { Run } from '../run/run.ts';

/** The first lines of every log; their order is fixed, tools index them by position. */
export function writeHeader({ taskId, task, log, host: { config, version } }: Run): void {
  const lines = [
    `Task ID: ${taskId}`,
    `Worker ID: ${config.workerId}`,
    `Worker Group: ${config.workerGroup}`,
    `Worker Node Type: ${config.workerNodeType}`,
    `Worker Pool: ${workerPoolId(config)}`,
    `Worker Version: ${version}`,
    `Public IP: ${config.publicIp ?? ''}`,
    `Hostname: ${hostname()}`,
    ...cacheLines(task.payload),
  ];
  for (const line of lines) {
    log.worker(line);
  }
  log.raw('\r\n');
}

/** Of a payload that nobody has examined yet. */
function cacheLines(payload: unknown): string[] {
  const { cache } = (payload ?? {}) as { cache?: unknown };
  return typeof cache === 'object' && cache !== null
    ? Object.entries(cache).map(([name, mount]) => `using cache "${name}" -> ${mount}`)
    : [];
}
