import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPages } from '@docker-worker/run-page';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import fastify from 'fastify';
import { testConfig } from '../config-file/testing/worker-config.ts';
import type { Engine } from '../engine/engine.ts';
import { capabilitiesForTest } from '../engine/testing/capabilities.ts';
import { TaskLog } from '../log/task-log.ts';
import { RecentProblems } from '../pages/recent-problems.ts';
import type { Run } from '../run/run.ts';
import { WorkerPages } from './worker-pages.ts';

const taskId = 'fN1SbArXTPSVFNUvaOlinQ';
const hostile = '<img src=x onerror=alert(1)>';
const secret = 'the-access-token-of-this-worker';
const config = testConfig({ capacity: 2, taskcluster: { clientId: 'worker', accessToken: secret } });

let folder: string;
let log: TaskLog;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-pages-'));
  log = await TaskLog.open(join(folder, 'log'));
  log.raw('a line\n');
  await log.close();
});
afterAll(async () => {
  await log[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const engine = {
  ...{ silent: false, lost: new AbortController().signal },
  capabilities: capabilitiesForTest({ dataFolder: '/nowhere' }),
  docker: {
    listContainers: async () => [
      {
        ...{ Id: '0123456789abcdef', State: 'running', HostConfig: { NetworkMode: 'warm' } },
        Labels: { 'docker-worker.role': 'sidecar:tc-proxy' },
      },
    ],
    version: async () => ({ Version: '29.0.1' }),
    getImage: () => ({ inspect: async () => ({ Size: 5 * 1024 ** 2 }) }),
  },
} as unknown as Engine;

function begin() {
  const run = {
    ...{ taskId, runId: 1, log, claimed: new Date(), imageReady: new Date(), image: { hash: 'sha256:1' } },
    task: { metadata: { name: hostile, description: 7 }, scopes: ['*'], payload: { image: hostile } },
    links: new Map([
      ['log', 'http://host:1/log/token'],
      ['shell', 'javascript:alert(1)'],
    ]),
    uploaded: new Map([
      ['public/a b', { sha256: '' }],
      [`private/${hostile}`, { sha256: '' }],
    ]),
    host: { config },
    credentials: { clientId: 'task', accessToken: secret, certificate: secret },
  } as unknown as Run;
  const runs = [run];
  let asked = 0;
  const problems = new RecentProblems();
  const pages = new WorkerPages(
    () => ({
      ...{ config, engine, runs, claiming: true },
      async kept() {
        asked += 1;
        return [
          { kind: 'image', name: hostile, bytes: 2048 },
          { kind: 'cache', name: 'level-1', bytes: 3 * 1024 ** 3, hasMore: true, lastUsed: new Date(0) },
        ];
      },
    }),
    problems,
  );
  const app = fastify();
  app.register(runPages, { source: pages });
  const get = async (path: string) => {
    const { statusCode, body } = await app.inject(path);
    return { status: statusCode, text: body };
  };
  return { runs, pages, problems, get, asked: () => asked, [Symbol.asyncDispose]: () => app.close() };
}

test('the page of a worker tells of its slots, runs, warm units, images, caches, disk and problems', async () => {
  await using worker = begin();
  worker.problems.add(`first: ${hostile}`);
  worker.problems.add('second');

  const { text } = await worker.get('/');

  for (const part of [
    ...[
      '1 of 2 are free',
      `/tasks/${taskId}/1`,
      '5.0 MiB',
      'http://host:1/log/token',
      'Docker Engine 29.0.1',
    ],
    ...['sidecar:tc-proxy', '2.0 KiB', 'more than 3.0 GiB', '1970-01-01 00:00:00 UTC', 'Free disk'],
  ]) {
    expect(text).toContain(part);
  }
  expect(text.indexOf('second')).toBeLessThan(text.indexOf('first:'));
  expect(text).not.toMatch(/<img|javascript:/);
  expect(text).not.toContain(secret);
});

test('the page of a run leads to its artifacts on the queue, and has its log', async () => {
  await using worker = begin();

  const { text } = await worker.get(`/tasks/${taskId}/1`);

  expect(text).toContain(
    `href="${config.rootUrl}/api/queue/v1/task/${taskId}/runs/1/artifacts/public%2Fa%20b"`,
  );
  expect(text).toContain(`href="${config.rootUrl}/tasks/${taskId}/runs/1"`);
  expect(text).not.toMatch(/<img|javascript:|method="post"/);
  expect(text).not.toContain(secret);
  expect((await worker.get(`/tasks/${taskId}/1/log`)).text).toBe('a line\n');
  expect((await worker.get(`/tasks/${taskId}/0`)).status).toBe(404);
});

test('a run that is gone has no page, and nothing can be done from any', async () => {
  await using worker = begin();
  worker.runs.length = 0;

  expect((await worker.get(`/tasks/${taskId}/1`)).status).toBe(404);
  expect((await worker.get(`/groups/${taskId}`)).status).toBe(404);
});

test('what is on the disk is not looked for by everyone anew, nor when nobody looks', async () => {
  await using worker = begin();
  worker.pages.changed();
  expect(worker.asked()).toBe(0);

  await Promise.all([worker.get('/'), worker.get('/')]);

  expect(worker.asked()).toBe(1);
});

test('an image that comes while nobody may ask again is told once somebody may', async () => {
  await using worker = begin();
  jest.useFakeTimers();
  try {
    let told = 0;
    worker.pages.onChange(() => {
      told += 1;
    });
    await worker.pages.worker();
    worker.pages.changed();
    await worker.pages.worker();
    await worker.pages.worker();
    expect([worker.asked(), told]).toEqual([1, 1]);

    await jest.advanceTimersByTimeAsync(10_000);
    expect(told).toBe(2);
    await worker.pages.worker();
    await worker.pages.worker();
    await jest.advanceTimersByTimeAsync(60_000);

    expect([worker.asked(), told]).toEqual([2, 2]);
  } finally {
    jest.useRealTimers();
  }
});

test('no more problems are kept than somebody reads', () => {
  const problems = new RecentProblems();
  for (let each = 0; each < 100; each += 1) {
    problems.add(`problem ${each}`);
  }

  expect(problems.list()).toHaveLength(30);
  expect(problems.list()[0]?.text).toBe('problem 99');
});
