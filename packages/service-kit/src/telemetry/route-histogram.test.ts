import { expect, test } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { RouteHistogram } from './route-histogram.ts';

const described = { name: 'seconds', help: 'Seconds.', buckets: [0.1, 1] };

test('what it tells is what prom-client’s own histogram tells', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const histogram = new RouteHistogram({ ...described, registers: [ours] });
  const reference = new Histogram({ ...described, labelNames: ['route'], registers: [theirs] });
  const observations: [string, number][] = [
    ['a', 0],
    ['a', 0.1],
    ['b', 0.5],
    ['a', 1],
    ['b', 7],
  ];
  for (const [route, value] of observations) {
    histogram.observe(route, value);
    reference.observe({ route }, value);
  }

  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(await ours.metrics()).toContain('seconds_bucket{le="1",route="b"} 1\n');
});

test('without observations it is there and has no values', async () => {
  const registry = new Registry();
  new RouteHistogram({ ...described, registers: [registry] });

  expect(await registry.metrics()).toBe('# HELP seconds Seconds.\n# TYPE seconds histogram\n');
});
