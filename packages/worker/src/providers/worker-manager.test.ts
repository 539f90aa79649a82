import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalTaskcluster, startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import taskcluster from 'taskcluster-client';
import { alerting } from './alerts.ts';
import { openProvider } from './open-provider.ts';
import type { Provider } from './provider.ts';
import { startMetadataServer } from './testing/metadata-server.ts';

const workerPoolId = 'proj-tests/linux';
const workerGroup = 'group';
const workerId = 'i-0123456789';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-manager-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Pool extends AsyncDisposable {
  local: LocalTaskcluster;
  staticSecret: string;
  userData: object;
  as(credentials: object): InstanceType<typeof taskcluster.WorkerManager>;
}

/** A deployment with a pool and a machine that has not registered yet. */
async function startPool(config: object = {}): Promise<Pool> {
  await using starting = new AsyncDisposableStack();
  const local = starting.use(await startLocalTaskcluster());
  const { rootUrl } = local;
  const as = (credentials: object) =>
    new taskcluster.WorkerManager({ rootUrl, credentials: credentials as never, retries: 0 });
  const staticSecret = randomBytes(33).toString('base64url');
  await as(local.credentials).createWorkerPool(workerPoolId, {
    ...{ providerId: 'static', description: '', owner: 'owner@example.com', emailOnError: false },
    config: { lifecycle: { reregistrationTimeout: 3600 }, ...config },
  });
  await as(local.credentials).createWorker(workerPoolId, workerGroup, workerId, {
    expires: taskcluster.fromNowJSON('1 day'),
    capacity: 1,
    providerInfo: { staticSecret },
  });
  const running = starting.move();
  return {
    local,
    staticSecret,
    userData: { rootUrl, workerPoolId, providerId: 'static', workerGroup },
    as,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function open(document: object): Promise<Provider> {
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify(document));
  return await openProvider(file, 'standalone');
}

async function openStatic({ local, staticSecret }: Pool, more: object = {}): Promise<Provider> {
  const staticSecretFile = join(folder, 'secret');
  await writeFile(staticSecretFile, `${staticSecret}\n`);
  const { rootUrl } = local;
  const identity = { rootUrl, providerId: 'static', workerPoolId, workerGroup, workerId };
  return await open({ registration: { provider: 'static', ...identity, staticSecretFile }, ...more });
}

/** A worker that only remembers what it is told. */
class ToldWorker extends EventEmitter {
  drain() {
    this.emit('told', 'drain');
  }
  abort() {
    this.emit('told', 'abort');
  }
  /** What it is told next. */
  async told(): Promise<string> {
    return (await once(this, 'told'))[0];
  }
}

const silent = pino({ level: 'silent' });

test('a static worker registers with its secret and gets its configuration from the pool and its secret', async () => {
  await using pool = await startPool({
    workerConfig: { dockerWorker: { config: { capacity: 3, shutdown: { afterIdleSeconds: 17 } } } },
  });
  const secrets = new taskcluster.Secrets({
    rootUrl: pool.local.rootUrl,
    credentials: pool.local.credentials,
  });
  await secrets.set(`worker-pool:${workerPoolId}`, {
    expires: taskcluster.fromNowJSON('1 day'),
    secret: { config: { registries: { 'registry.example': { username: 'u', password: 'p' } } } },
  });

  await using provider = await openStatic(pool, { capacity: 1, shutdown: { graceSeconds: 5 } });

  expect(provider.config).toMatchObject({
    ...{
      rootUrl: pool.local.rootUrl,
      provisionerId: 'proj-tests',
      workerType: 'linux',
      workerGroup,
      workerId,
    },
    capacity: 3,
    shutdown: { afterIdleSeconds: 17, graceSeconds: 5 },
    registries: { 'registry.example': { username: 'u' } },
  });
  const queue = new taskcluster.Queue({
    rootUrl: pool.local.rootUrl,
    credentials: provider.config.taskcluster,
  });
  const auth = new taskcluster.Auth({
    rootUrl: pool.local.rootUrl,
    credentials: provider.config.taskcluster,
  });
  expect((await auth.currentScopes()).scopes).toContain(`queue:claim-work:${workerPoolId}`);
  await queue.ping();
});

test('a machine of Amazon registers with its identity document and is told of its end', async () => {
  await using pool = await startPool();
  const document = JSON.stringify({ instanceId: workerId, region: 'eu-central-1' });
  const token = 'session-token';
  const guarded = (text: string) => (headers: NodeJS.Dict<string | string[]>) =>
    headers['x-aws-ec2-metadata-token'] === token ? text : undefined;
  await using metadata = await startMetadataServer({
    'PUT /latest/api/token': token,
    'GET /latest/user-data': guarded(JSON.stringify(pool.userData)),
    'GET /latest/dynamic/instance-identity/document': guarded(document),
    'GET /latest/dynamic/instance-identity/signature': guarded(pool.staticSecret),
    'GET /latest/meta-data/instance-type': guarded('m7i.large'),
    'GET /latest/meta-data/placement/availability-zone': guarded('eu-central-1b'),
    'GET /latest/meta-data/public-ipv4': guarded('203.0.113.7'),
    'GET /latest/meta-data/local-ipv4': guarded('10.0.0.7'),
  });
  await using provider = await open({ registration: { provider: 'aws', metadataUrl: metadata.url } });
  const worker = new ToldWorker();
  provider.follow(worker, silent);
  metadata.answers['GET /latest/meta-data/spot/termination-time'] = guarded('2030-01-01T00:00:00Z');

  expect(await worker.told()).toBe('abort');
  expect(provider.config).toMatchObject({
    ...{ provisionerId: 'proj-tests', workerType: 'linux', workerId, instanceId: workerId },
    ...{
      workerNodeType: 'm7i.large',
      publicIp: '203.0.113.7',
      privateIp: '10.0.0.7',
      region: 'eu-central-1',
    },
    workerLocation: '{"cloud":"aws","region":"eu-central-1","availabilityZone":"eu-central-1b"}',
  });
}, 20_000);

test('a machine of Google registers with a token for the deployment and is told of its end', async () => {
  await using pool = await startPool();
  const base = 'GET /computeMetadata/v1/instance';
  const flavoured = (text: string) => (headers: NodeJS.Dict<string | string[]>) =>
    headers['metadata-flavor'] === 'Google' ? text : undefined;
  const preempted = Promise.withResolvers<string>();
  const audience = encodeURIComponent(pool.local.rootUrl);
  await using metadata = await startMetadataServer({
    [`${base}/attributes/taskcluster`]: flavoured(JSON.stringify(pool.userData)),
    [`${base}/id`]: flavoured(workerId),
    [`${base}/machine-type`]: flavoured('projects/1/machineTypes/n2-standard-4'),
    [`${base}/zone`]: flavoured('projects/1/zones/us-east1-c'),
    [`${base}/service-accounts/default/identity?audience=${audience}&format=full`]: flavoured(
      pool.staticSecret,
    ),
    [`${base}/preempted`]: flavoured('FALSE'),
    [`${base}/preempted?wait_for_change=true`]: () => preempted.promise,
  });
  await using provider = await open({ registration: { provider: 'google', metadataUrl: metadata.url } });
  const worker = new ToldWorker();
  provider.follow(worker, silent);
  preempted.resolve('TRUE');

  expect(await worker.told()).toBe('abort');
  expect(provider.config).toMatchObject({
    ...{ workerId, workerNodeType: 'n2-standard-4', region: 'us-east1' },
    workerLocation: '{"cloud":"google","region":"us-east1","zone":"us-east1-c"}',
  });
});

test('a machine of Azure registers with its attested document; a freeze is not its end, an eviction is', async () => {
  await using pool = await startPool();
  const { rootUrl } = pool.local;
  const tags = { 'root-url': rootUrl, 'worker-pool-id': workerPoolId, 'provider-id': 'static' };
  const events = 'GET /metadata/scheduledevents?api-version=2020-07-01';
  await using metadata = await startMetadataServer({
    'GET /metadata/instance?api-version=2021-02-01': JSON.stringify({
      compute: {
        ...{ location: 'westeurope', name: workerId, vmId: 'vm-id', vmSize: 'Standard_D4' },
        tagsList: Object.entries({ ...tags, 'worker-group': workerGroup }).map(([name, value]) => ({
          name,
          value,
        })),
      },
      network: {
        interface: [{ ipv4: { ipAddress: [{ privateIpAddress: '10.1.0.4', publicIpAddress: '' }] } }],
      },
    }),
    'GET /metadata/attested/document?api-version=2021-02-01': JSON.stringify({
      encoding: 'pkcs7',
      signature: pool.staticSecret,
    }),
    [events]: () => {
      metadata.answers[events] = JSON.stringify({ Events: [{ EventType: 'Preempt' }] });
      return JSON.stringify({ Events: [{ EventType: 'Freeze' }] });
    },
  });
  await using provider = await open({ registration: { provider: 'azure', metadataUrl: metadata.url } });
  const worker = new ToldWorker();
  provider.follow(worker, silent);

  expect(await worker.told()).toBe('abort');
  expect(metadata.answers[events]).toContain('Preempt');
  expect(provider.config).toMatchObject({
    ...{ workerId, workerNodeType: 'Standard_D4', privateIp: '10.1.0.4', instanceId: 'vm-id' },
  });
  expect(provider.config.publicIp).toBeUndefined();
}, 20_000);

test('credentials are renewed before they expire', async () => {
  await using pool = await startPool({ lifecycle: { reregistrationTimeout: 2 } });
  await using provider = await openStatic(pool);
  const first = provider.config.taskcluster;
  const renewed = new EventEmitter();
  provider.follow(new ToldWorker(), pino({}, { write: (line: string) => void renewed.emit('line', line) }));

  const [line] = await once(renewed, 'line');

  expect(line).toContain('Credentials updated');
  expect(provider.config.taskcluster.accessToken).not.toBe(first.accessToken);
});

test('a worker whose credentials cannot be renewed drains when they have expired', async () => {
  await using pool = await startPool({ lifecycle: { reregistrationTimeout: 2 } });
  await using provider = await openStatic(pool);
  const worker = new ToldWorker();
  provider.follow(worker, silent);
  await pool.as(pool.local.credentials).removeWorker(workerPoolId, workerGroup, workerId);

  expect(await worker.told()).toBe('drain');
}, 20_000);

test('a machine that worker-manager started is handed back when its worker has ended', async () => {
  await using pool = await startPool();
  const text = JSON.stringify({ instanceId: workerId, region: 'eu-central-1' });
  await using metadata = await startMetadataServer({
    'GET /latest/user-data': JSON.stringify(pool.userData),
    'GET /latest/dynamic/instance-identity/document': text,
    'GET /latest/dynamic/instance-identity/signature': pool.staticSecret,
    'GET /latest/meta-data/instance-type': 'm7i.large',
  });
  await using provider = await open({ registration: { provider: 'aws', metadataUrl: metadata.url } });

  await provider.workerEnded();

  const { state } = await pool.as(pool.local.credentials).worker(workerPoolId, workerGroup, workerId);
  expect(state).toBe('stopped');
});

test('a refused registration is told without the secret', async () => {
  await using pool = await startPool();
  const wrong = randomBytes(33).toString('base64url');

  const error = await openStatic({ ...pool, staticSecret: wrong }).catch((reason: Error) => reason.message);

  expect(error).toMatch(/did not register proj-tests\/linux group\/i-0123456789 \(HTTP 400\)/);
  expect(error).not.toContain(wrong);
});

test.each([
  [{ provider: 'ibm' }, /registration\.provider/],
  [{ provider: 'aws', metadataUrl: 'ftp://x' }, /registration\.metadataUrl/],
  [{ provider: 'static', rootUrl: 'https://tc.example' }, /registration\.workerPoolId/],
])('the registration %j is refused by the name of the field', async (registration, message) => {
  await expect(open({ registration })).rejects.toThrow(message);
});

test('user data of something else is refused with what is missing', async () => {
  await using metadata = await startMetadataServer({
    'GET /latest/user-data': '#!/bin/sh',
    'GET /latest/dynamic/instance-identity/document': JSON.stringify({ instanceId: 'i', region: 'r' }),
    'GET /latest/dynamic/instance-identity/signature': 's',
    'GET /latest/meta-data/instance-type': 't',
  });

  await expect(open({ registration: { provider: 'aws', metadataUrl: metadata.url } })).rejects.toThrow(
    /user data of this machine is not what worker-manager gives/,
  );
});

test('a worker that has nothing to do drains when worker-manager does not want it any more, and not before', async () => {
  await using pool = await startPool();
  await using provider = await openStatic(pool);
  const worker = new ToldWorker();
  const lines: { type?: string; reason?: string }[] = [];
  const logger = pino(
    { messageKey: 'type' },
    { write: (line: string) => void lines.push(JSON.parse(line) as object) },
  );
  provider.follow(worker, logger);
  const answered = new EventEmitter();
  pool.local.onRequest(({ path }) => answered.emit(path.split('/').at(-1) ?? ''));

  const asked = once(answered, 'should-terminate');
  provider.workerIdle();
  await asked;
  expect(lines).toEqual([]);

  const told = worker.told();
  await pool.as(pool.local.credentials).deleteWorkerPool(workerPoolId);
  provider.workerIdle();

  expect(await told).toBe('drain');
  expect(lines).toMatchObject([
    { type: 'worker-manager wants this worker to end', reason: 'the worker pool was deleted' },
  ]);
});

test('what operators must know is told to worker-manager, once for a fault that goes on', async () => {
  await using pool = await startPool();
  await using provider = await openStatic(pool);
  const reported = new Promise<void>((resolve) => {
    pool.local.onRequest(({ method, path }) => {
      if (method === 'POST' && path.includes('/worker-pool-errors/')) resolve();
    });
  });
  const logger = pino(
    { hooks: { logMethod: alerting((alert) => provider.alert(alert)) } },
    { write: () => {} },
  );

  logger.error({ err: new Error('no room\n    at a stack'), free: 5 }, '[alert-operator] disk full');
  logger.error({ err: new Error('no room'), free: 4 }, '[alert-operator] disk full');
  logger.error({ err: new Error('of a task') }, 'task error');
  await reported;

  const { workerPoolErrors } = await pool.as(pool.local.credentials).listWorkerPoolErrors(workerPoolId);
  expect(workerPoolErrors).toMatchObject([
    { kind: 'worker-error', title: 'disk full', description: 'no room, free: 5', extra: { workerId } },
  ]);
});
