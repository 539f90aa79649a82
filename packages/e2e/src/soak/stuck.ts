import { setTimeout } from 'node:timers/promises';

/** No task may take longer to end than its maxRunTime and what is around it. */
const patienceMs = 120_000;

/** Settles when no run has been resolved for long. */
export async function stuck(reports: ReadonlyMap<string, unknown>): Promise<void> {
  for (let seen = -1; seen < reports.size; ) {
    seen = reports.size;
    await setTimeout(patienceMs, undefined, { ref: false });
  }
}
