import { expect, test } from '@jest/globals';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { WorkerMetrics } from '../metrics/worker-metrics.ts';
import { RecentProblems } from '../pages/recent-problems.ts';
import { openAdminServer } from './admin-server.ts';
import { registerGauges } from './worker-gauges.ts';
import { WorkerPages } from './worker-pages.ts';
import type { WorkerState, WorkerStatus } from './worker-status.ts';

const observed = {
  config: testConfig({ capacity: 3 }),
  engine: undefined,
  runs: [],
  claiming: true,
};
const pages = new WorkerPages(() => observed, new RecentProblems());
const container = { id: '0123456789ab', state: 'running' };

function statusIn(state: WorkerState): WorkerStatus {
  return {
    worker: { pool: 'prov/type', group: 'group', id: 'i-1', state, upSeconds: 3_725 },
    versions: { worker: '1.2.3', node: '24.0.0', engine: '29.0.1' },
    capacity: { slots: 2, running: 1 },
    disk: { freeBytes: 50e9, neededBytesPerTask: 30e9 },
    runs: [
      {
        ...{ taskId: 'fN1SbArXTPSVFNUvaOlinQ', runId: 0, name: '<script>alert(1)</script>' },
        ...{ claimed: '2026-01-02T03:04:05.000Z', started: undefined, vacated: undefined },
        links: { log: 'http://host:1/log/token', shell: 'https://tc.example.com/shell/?v=1&x="y"' },
        containers: [{ role: 'sidecar:tc-proxy', ...container }],
      },
    ],
    warm: [{ role: 'sidecar:tc-proxy', ...container }],
  };
}

async function open(state: WorkerState = 'claiming') {
  const metrics = new WorkerMetrics();
  registerGauges(metrics.registry, () => observed);
  const status = async () => statusIn(state);
  const server = await openAdminServer({
    address: '127.0.0.1',
    port: 0,
    registry: metrics.registry,
    status,
    pages,
  });
  const get = async (path: string, accept = '*/*') => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { accept } });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };
  return { metrics, port: server.port, get, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test('figures of the process are collected from when somebody first asks for them', async () => {
  await using server = await open();
  const { registry } = server.metrics;
  const asked = () => registry.getSingleMetric('nodejs_eventloop_lag_seconds') !== undefined;

  expect(asked()).toBe(false);
  await server.get('/metrics');
  const { status } = await server.get('/metrics');

  expect([asked(), status]).toEqual([true, 200]);
});

test('only what counts has the name of a counter', async () => {
  await using server = await open();

  const { text } = await server.get('/metrics');

  expect(text).toContain('process_resident_memory_bytes');
  expect(text).not.toMatch(/^# TYPE \S+_total (?!counter)/m);
});

test.each(['/status', '/status.json'])('machines get the status as JSON: %s', async (path) => {
  await using server = await open();

  const { status, text } = await server.get(path);

  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(statusIn('claiming'))));
});

test('people are led from the status to the page of the worker', async () => {
  await using server = await open();

  const { type, text } = await server.get('/status', 'text/html,application/xhtml+xml');

  expect(type).toContain('text/html');
  expect(text).toContain('3 of 3 are free.');
  expect(text).toContain('href="/files/page.css"');
});

test.each<[WorkerState, number]>([
  ['claiming', 200],
  ['ending', 503],
  ['without engine', 503],
])('a worker that is %s answers %i for being ready, and is alive', async (state, expected) => {
  await using server = await open(state);

  expect((await server.get('/ready')).status).toBe(expected);
  expect((await server.get('/live')).status).toBe(200);
});

test('Prometheus gets counters, histograms, figures of the moment and those of the process', async () => {
  await using server = await open();
  server.metrics.runs.inc({ resolution: 'completed' });
  server.metrics.runSeconds.observe(3);

  const { type, text } = await server.get('/metrics');

  expect(type).toContain('text/plain');
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      'docker_worker_runs_total{resolution="completed"} 1',
      'docker_worker_run_seconds_bucket{le="5"} 1',
      'docker_worker_running 0',
      'docker_worker_capacity 3',
      'docker_worker_claiming 1',
      'docker_worker_engine_up 0',
      'docker_worker_disk_free_bytes Nan',
      expect.stringMatching(/^process_resident_memory_bytes \d+$/),
    ]),
  );
});

test('an address that is taken is told with the key to change', async () => {
  await using server = await open();
  const { port } = server;
  const { registry } = new WorkerMetrics();
  registerGauges(registry, () => observed);

  await expect(
    openAdminServer({
      address: '127.0.0.1',
      port,
      registry,
      pages,
      status: async () => statusIn('claiming'),
    }),
  ).rejects.toThrow(/EADDRINUSE.*"admin\.port"/);
});
