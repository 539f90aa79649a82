import { EventEmitter, once } from 'node:events';
import { type Deployment, startDeployment } from '../harness/deployment.ts';

/** A deployment that knows how often each run has been resolved. */
export interface WatchedDeployment extends Deployment {
  /** How its worker resolved a run, each time: by `<taskId>/<runId>`. */
  reports: Map<string, string[]>;
  /** Settles when that many runs have been resolved. */
  resolved(runs: number): Promise<void>;
}

export async function startWatchedDeployment(): Promise<WatchedDeployment> {
  const reports = new Map<string, string[]>();
  const events = new EventEmitter();
  const deployment = await startDeployment({}, (method, url) => {
    const [, taskId, runId, report] =
      /\/task\/([\w-]+)\/runs\/(\d+)\/(completed|failed|exception)$/.exec(url) ?? [];
    if (method === 'POST' && report !== undefined) {
      const run = `${taskId}/${runId}`;
      reports.set(run, [...(reports.get(run) ?? []), report]);
      events.emit('report');
    }
    return undefined;
  });
  return {
    ...deployment,
    reports,
    async resolved(runs) {
      while (reports.size < runs) {
        await once(events, 'report');
      }
    },
  };
}
