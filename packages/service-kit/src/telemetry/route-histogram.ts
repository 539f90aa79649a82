import type { Metric, Registry } from 'prom-client';

/** Observations of one route: how many are at most each bound, above the bound before it. */
interface Tally {
  counts: number[];
  sum: number;
}

/**
 * A histogram with the one label `route`. Each observation only counts up plain numbers, where prom-client's own
 * histogram first makes a text of the labels, which is felt in a proxy of small requests.
 */
export class RouteHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: readonly number[];
  readonly #tallies = new Map<string, Tally>();

  /** `buckets` are upper bounds in rising order, without infinity. */
  constructor(options: { name: string; help: string; buckets: readonly number[]; registers: Registry[] }) {
    this.name = options.name;
    this.help = options.help;
    this.#bounds = [...options.buckets, Number.POSITIVE_INFINITY];
    for (const registry of options.registers) registry.registerMetric(this as unknown as Metric);
  }

  observe(route: string, value: number): void {
    const tally = this.#tallies.get(route) ?? this.#newTally(route);
    let index = 0;
    while (value > (this.#bounds[index] as number)) index += 1;
    tally.counts[index] = (tally.counts[index] as number) + 1;
    tally.sum += value;
  }

  /** What the registry asks for; the counts are cumulative there. */
  async get() {
    const { name, help, type, aggregator } = this;
    return {
      name,
      help,
      type,
      aggregator,
      values: [...this.#tallies].flatMap((entry) => this.#values(entry)),
    };
  }

  reset(): void {
    this.#tallies.clear();
  }

  #newTally(route: string): Tally {
    const tally = { counts: this.#bounds.map(() => 0), sum: 0 };
    this.#tallies.set(route, tally);
    return tally;
  }

  #values([route, { counts, sum }]: [string, Tally]) {
    let count = 0;
    const buckets = this.#bounds.map((bound, index) => {
      count += counts[index] as number;
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : bound;
      return { metricName: `${this.name}_bucket`, labels: { le, route }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels: { route }, value: sum },
      { metricName: `${this.name}_count`, labels: { route }, value: count },
    ];
  }
}
