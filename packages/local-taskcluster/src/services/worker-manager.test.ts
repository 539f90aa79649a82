import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { notExercised, startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createTask, inMs, QUEUE_ID, WORKER } from '../testing/task.ts';

const { workerGroup, workerId } = WORKER;
const POOL = {
  providerId: 'static',
  description: 'workers for tests',
  config: { workerConfig: { capacity: 2 }, lifecycle: { reregistrationTimeout: 3600 } },
  owner: 'owner@example.com',
  emailOnError: false,
};

function newSecret(): string {
  return randomBytes(33).toString('base64url');
}

/** A pool with one worker; returns what the worker registers with. */
async function createWorker({ workerManager }: TestTaskcluster) {
  const staticSecret = newSecret();
  await workerManager.createWorkerPool(QUEUE_ID, POOL);
  await workerManager.createWorker(QUEUE_ID, workerGroup, workerId, {
    ...{ expires: inMs(24 * 3600_000), capacity: 2, providerInfo: { staticSecret } },
  });
  return {
    ...{ workerPoolId: QUEUE_ID, providerId: 'static', workerGroup, workerId },
    workerIdentityProof: { staticSecret },
  };
}

test('a worker registers with its secret and may then claim work', async () => {
  await using local = await startForTest();
  const registration = await createWorker(local);
  const taskId = await createTask(local);

  const registered = await local.as({}).workerManager.registerWorker(registration);
  const worker = local.as(registered.credentials);
  const { tasks } = await worker.queue.claimWork(QUEUE_ID, { ...WORKER, tasks: 1 });

  expect(registered.workerConfig).toEqual({ capacity: 2 });
  expect(Date.parse(registered.expires) - Date.now()).toBeGreaterThan(3500_000);
  expect(tasks).toMatchObject([{ status: { taskId } }]);
  await expect(worker.queue.cancelTask(taskId)).rejects.toMatchObject({ statusCode: 403 });
});

test('a wrong secret registers nobody and is not repeated in the error', async () => {
  await using local = await startForTest();
  const registration = await createWorker(local);
  const staticSecret = newSecret();

  const refused = local.workerManager.registerWorker({
    ...registration,
    workerIdentityProof: { staticSecret },
  });

  const { statusCode, body } = await refused.catch((error: { statusCode: number; body: object }) => error);
  expect(statusCode).toBe(400);
  expect(JSON.stringify(body)).not.toContain(staticSecret);
});

test('a worker gets new credentials with the secret of the last registration only', async () => {
  await using local = await startForTest();
  const { secret, credentials } = await local.workerManager.registerWorker(await createWorker(local));
  const names = { workerPoolId: QUEUE_ID, workerGroup, workerId };
  const { workerManager } = local.as(credentials);

  const again = await workerManager.reregisterWorker({ ...names, secret });

  expect(again.secret).not.toBe(secret);
  await expect(workerManager.reregisterWorker({ ...names, secret })).rejects.toMatchObject({
    statusCode: 400,
  });
});

test('a removed worker cannot register again', async () => {
  await using local = await startForTest();
  const registration = await createWorker(local);
  await local.workerManager.removeWorker(QUEUE_ID, workerGroup, workerId);

  await expect(local.workerManager.registerWorker(registration)).rejects.toMatchObject({ statusCode: 400 });
});

test('providers other than the static one are refused', async () => {
  await using local = await startForTest();

  const refused = local.workerManager.createWorkerPool(QUEUE_ID, { ...POOL, providerId: 'aws' });

  await expect(refused).rejects.toMatchObject({ statusCode: 400, code: 'InputError' });
});

test('a worker reports an error, which its pool lists', async () => {
  await using local = await startForTest();
  const { credentials } = await local.workerManager.registerWorker(await createWorker(local));
  const report = { kind: 'worker-error', title: 'broken', description: 'it broke', extra: { why: 'age' } };

  const error = await local
    .as(credentials)
    .workerManager.reportWorkerError(QUEUE_ID, { workerGroup, workerId, ...report });
  const { workerPoolErrors } = await local.workerManager.listWorkerPoolErrors(QUEUE_ID);

  expect(workerPoolErrors).toEqual([error]);
  expect(error.extra).toMatchObject({ why: 'age', workerId });
});

test('a worker is told to end when its pool is over its capacity or has been deleted', async () => {
  await using local = await startForTest();
  await createWorker(local);
  expect(await shouldTerminate(local)).toEqual({ terminate: false, reason: 'needed' });

  await local.workerManager.updateWorkerPool(QUEUE_ID, { ...POOL, config: { maxCapacity: 1 } });
  expect(await shouldTerminate(local)).toEqual({ terminate: true, reason: 'over capacity' });

  await local.workerManager.deleteWorkerPool(QUEUE_ID);
  expect(await shouldTerminate(local)).toMatchObject({ terminate: true });
});

test('the owner of a pool is as free as the published schema has it', async () => {
  await using local = await startForTest();

  for (const owner of ["o'neil!x@mail.example", 'a{b}@1.2', 'name@xn--bcher-kva.example']) {
    await local.workerManager.createWorkerPool(QUEUE_ID, { ...POOL, owner });
    expect(await local.workerManager.workerPool(QUEUE_ID)).toMatchObject({ owner });
    await local.workerManager.deleteWorkerPool(QUEUE_ID);
  }
  await expect(
    local.workerManager.createWorkerPool(QUEUE_ID, { ...POOL, owner: 'team@intranet' }),
  ).rejects.toMatchObject({ code: 'InputValidationError' });
});

test('every endpoint of the worker manager works', async () => {
  await using local = await startForTest();
  const { workerManager } = local;
  await workerManager.ping();
  const { secret } = await workerManager.registerWorker(await createWorker(local));
  await workerManager.reregisterWorker({ workerPoolId: QUEUE_ID, workerGroup, workerId, secret });
  await workerManager.updateWorkerPool(QUEUE_ID, { ...POOL, description: 'changed' });
  const error = { kind: 'k', title: 't', description: 'd', extra: {} };
  await workerManager.reportWorkerError(QUEUE_ID, { workerGroup, workerId, ...error });
  await workerManager.listWorkerPoolErrors(QUEUE_ID);
  const { workerPools } = await workerManager.listWorkerPools();
  const pool = await workerManager.workerPool(QUEUE_ID);
  const worker = await workerManager.worker(QUEUE_ID, workerGroup, workerId);
  await workerManager.updateWorker(QUEUE_ID, workerGroup, workerId, { expires: inMs(3600_000), capacity: 3 });
  await workerManager.listWorkersForWorkerPool(QUEUE_ID, { state: 'running' });
  await workerManager.listWorkersForWorkerGroup(QUEUE_ID, workerGroup);
  await local.queue.declareWorker(...QUEUE_ID.split('/'), workerGroup, workerId, { expires: inMs(1000) });
  await workerManager.listWorkers(...QUEUE_ID.split('/'));
  await workerManager.getWorker(...QUEUE_ID.split('/'), workerGroup, workerId);
  await workerManager.listProviders();
  await workerManager.listWorkerPoolLaunchConfigs(QUEUE_ID);
  await workerManager.workerPoolStats(QUEUE_ID);
  await workerManager.listWorkerPoolsStats();
  await workerManager.workerPoolErrorStats({ workerPoolId: QUEUE_ID });
  await shouldTerminate(local);
  await workerManager.removeWorker(QUEUE_ID, workerGroup, workerId);
  await workerManager.deleteWorkerPool(QUEUE_ID);

  expect(workerPools).toEqual([pool]);
  expect(pool).toMatchObject({ description: 'changed', runningCount: 1, runningCapacity: 2 });
  expect(worker).toMatchObject({ state: 'running', capacity: 2 });
  expect(notExercised(local, 'worker-manager')).toEqual([]);
});

function shouldTerminate(local: TestTaskcluster) {
  const worker = `${encodeURIComponent(QUEUE_ID)}/${workerGroup}/${workerId}`;
  return local.call('GET', 'worker-manager', `/workers/${worker}/should-terminate`);
}
