import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges whose names say that they are counters; what they add up is in others, by its kind. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

const registered = new WeakSet<Registry>();

/**
 * What Prometheus is told of any process, once it asks: memory, processor time, open files, the event loop. Not sooner:
 * from then on the event loop is looked at a hundred times a second, which takes a process that does nothing one per cent
 * of a core.
 */
export function registerProcessMetrics(register: Registry): void {
  if (registered.has(register)) {
    return;
  }
  registered.add(register);
  collectDefaultMetrics({ register });
  for (const name of misnamed) {
    register.removeSingleMetric(name);
  }
}
