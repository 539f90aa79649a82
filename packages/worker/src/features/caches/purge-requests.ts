import type { InstanceRecord } from './instance-records.ts';

/** What is to be purged, as far as this process has been told: for each cache the latest time. */
export class PurgeRequests {
  readonly #before = new Map<string, Date>();

  remember(name: string, before: Date): void {
    const known = this.#before.get(name);
    if (known === undefined || known < before) {
      this.#before.set(name, before);
    }
  }

  /** Forgets what none of these instances, which are all that there are, is older than. */
  forgetAllBut(instances: InstanceRecord[]): void {
    const covered = new Set(instances.filter((one) => this.cover(one)).map(({ name }) => name));
    for (const name of this.#before.keys()) {
      if (!covered.has(name)) {
        this.#before.delete(name);
      }
    }
  }

  /** How many caches it knows a time for. */
  get size(): number {
    return this.#before.size;
  }

  /** Whether an instance is older than what somebody wants to be rid of. */
  cover({ name, created }: InstanceRecord): boolean {
    const before = this.#before.get(name);
    return before !== undefined && created < before;
  }
}
