import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { client as hawk } from 'hawk';
import { startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createTask, QUEUE_ID, WORKER } from '../testing/task.ts';

interface Claimed {
  tasks: { status: { taskId: string } }[];
}

test('claimWork returns at once when a task is created', async () => {
  await using local = await startForTest();
  const arrival = once(local.arrivals, 'claimWork');
  const polling = local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 4 });
  await arrival;

  const taskId = await createTask(local);
  const created = performance.now();
  const { tasks } = await polling;

  expect(performance.now() - created).toBeLessThan(500);
  expect(tasks).toMatchObject([{ status: { taskId, state: 'running' } }]);
});

test('claimWork returns nothing when the time is over', async () => {
  await using local = await startForTest({ longPollSeconds: 0.05 });

  expect(await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 })).toEqual({ tasks: [] });
});

test('each of many tasks goes to exactly one of many workers', async () => {
  await using local = await startForTest();
  const polls: Promise<Claimed>[] = Array.from({ length: 20 }, (_, index) =>
    local.queue.claimWork(QUEUE_ID, { workerGroup: 'g', workerId: `w${index}`, tasks: 2 }),
  );

  const created = await Promise.all(Array.from({ length: 30 }, () => createTask(local)));
  const claims = (await Promise.all(polls)).flatMap(({ tasks }) => tasks);
  while (claims.length < created.length) {
    const { tasks } = await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 32 });
    claims.push(...tasks);
  }

  const claimed = claims.map(({ status }) => status.taskId);
  expect(claimed.sort()).toEqual(created.sort());
});

test('a worker that goes away while it waits does not take a task with it', async () => {
  await using local = await startForTest();
  const gone = new AbortController();
  const [arrival, abandoned] = [once(local.arrivals, 'claimWork'), rawClaimWork(local, gone.signal)];
  const [request] = await arrival;
  const closed = once(request.raw.socket, 'close');
  gone.abort();
  await expect(abandoned).rejects.toThrow('abort');
  await closed;

  const taskId = await createTask(local);
  const { tasks } = await local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });

  expect(tasks).toMatchObject([{ status: { taskId, runs: [{ state: 'running' }] } }]);
});

test('a claim whose answer could not be delivered is pending again', async () => {
  await using local = await startForTest();
  await createTask(local);
  local.answers.once('claimWork', ({ raw }: FastifyRequest) => raw.socket.destroy());
  await expect(rawClaimWork(local)).rejects.toThrow('fetch failed');

  const { tasks } = await local.queue.claimWork(QUEUE_ID, { ...WORKER, workerId: 'second', tasks: 1 });

  expect(tasks).toMatchObject([{ workerId: 'second', runId: 0, status: { retriesLeft: 5 } }]);
  expect(tasks[0].status.runs).toMatchObject([{ state: 'running', workerId: 'second' }]);
});

test('stopping the server answers the workers that wait', async () => {
  const local = await startForTest();
  const arrival = once(local.arrivals, 'claimWork');
  const polling = local.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 }).catch(() => ({ tasks: [] }));
  await arrival;
  const stopping = performance.now();

  await local[Symbol.asyncDispose]();

  expect(await polling).toEqual({ tasks: [] });
  expect(performance.now() - stopping).toBeLessThan(1000);
});

/** A claimWork call whose connection can be cut. */
function rawClaimWork(local: TestTaskcluster, signal?: AbortSignal): Promise<Response> {
  const url = `${local.rootUrl}/api/queue/v1/claim-work/${encodeURIComponent(QUEUE_ID)}`;
  const { clientId: id, accessToken: key } = local.credentials;
  const { header } = hawk.header(url, 'POST', { credentials: { id, key, algorithm: 'sha256' } });
  const headers = { authorization: header, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify({ ...WORKER, tasks: 1 }), signal });
}
