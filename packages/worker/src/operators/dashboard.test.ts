import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { registerProcessMetrics } from '@docker-worker/service-kit/process-metrics';
import { expect, test } from '@jest/globals';
import type { MetricObject } from 'prom-client';
import { z } from 'zod';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { registerGauges } from './worker-gauges.ts';

const file = join(import.meta.dirname, '../../../../deploy/grafana/docker-worker.json');
const Dashboard = z.object({
  panels: z.array(
    z.object({
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).min(1),
    }),
  ),
});
const { panels } = Dashboard.parse(JSON.parse(readFileSync(file, 'utf8')));
const targets = panels.flatMap(({ title, targets: all }) => all.map((target) => ({ title, ...target })));

function metrics(): Map<string, MetricObject & { type: unknown; labelNames?: string[] }> {
  const { registry } = new WorkerMetrics();
  const observed = { config: testConfig({}), engine: undefined, runs: [], claiming: true };
  registerGauges(registry, () => observed);
  registerProcessMetrics(registry);
  return new Map(registry.getMetricsAsArray().map((metric) => [metric.name, metric as never]));
}

test.each(targets)(
  'the dashboard asks for metrics and labels that there are: $title, $expr',
  ({ expr, legendFormat }) => {
    const known = metrics();
    const names = expr.match(/\b(?:docker_worker|process|nodejs)_\w+/g) ?? [];
    const found = names.map((name) => known.get(name.replace(/_bucket$/, '')));

    expect(names.length).toBeGreaterThan(0);
    expect(found).not.toContain(undefined);
    const labels = new Set(['instance', 'le', ...found.flatMap((metric) => metric?.labelNames ?? [])]);
    const used = [
      ...[...expr.matchAll(/by \(([^)]+)\)/g)].flatMap(([, list = '']) => list.split(',')),
      ...[...expr.matchAll(/[{,]\s*(\w+)\s*(?:=~|!=|=)/g)].map(([, name = '']) => name),
      ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name),
    ].map((name) => name.trim());
    expect(used.filter((name) => !labels.has(name))).toEqual([]);
  },
);

test('every figure of the worker has its place on the dashboard', () => {
  const own = [...metrics().keys()].filter((name) => name.startsWith('docker_worker_'));

  expect(own.filter((name) => !targets.some(({ expr }) => expr.includes(name)))).toEqual([]);
});

test('the panels do not cover each other', () => {
  const overlaps = panels.flatMap(({ title, gridPos: one }, index) =>
    panels
      .slice(index + 1)
      .filter(({ gridPos: other }) =>
        [
          one.x < other.x + other.w,
          other.x < one.x + one.w,
          one.y < other.y + other.h,
          other.y < one.y + one.h,
        ].every(Boolean),
      )
      .map((other) => [title, other.title]),
  );

  expect(overlaps).toEqual([]);
});
