import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges whose names say that they are counters; what they add up is in others, by its kind. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

/** What Prometheus is told of any process: memory, processor time, open files, the event loop. */
export function registerProcessMetrics(register: Registry): void {
  collectDefaultMetrics({ register });
  for (const name of misnamed) {
    register.removeSingleMetric(name);
  }
}
