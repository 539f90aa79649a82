import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FakeDeviceCloud, startFakeDeviceCloud } from '@docker-worker/fake-device-cloud';
import { bridgeGateway, type Run } from '@docker-worker/worker';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Command } from '../harness/command.ts';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { EngineEvents } from '../harness/host/engine-events.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';
import { startTestWorker } from '../harness/test-worker.ts';

const apiKey = 'key-of-the-account-of-phones';
const scopes = ['docker-worker:capability:device:phone'];
const phone = {
  ...{ type: 'flame', memory: '319', sims: '0' },
  build: 'https://example.com/builds/one/flame.zip',
};
const borrow = `curl --silent --show-error --fail-with-body --header 'Content-Type: application/json' \\
  --data "$DEVICE_CAPABILITIES" http://testdroid/device`;

let cloud: FakeDeviceCloud;
let folder: TempDir;

beforeEach(async () => {
  cloud = await startFakeDeviceCloud({ host: await bridgeGateway(docker), apiKey });
  folder = await makeTempDir();
});
afterEach(async () => {
  await cloud[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

test('a task borrows a phone, and what it does not give back is given back when it ends', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings());
  const taskId = await deployment.createTask(task(`env; ${borrow}; echo; sleep 0.1; exit 4`), { scopes });

  const run = await worker.run(taskId);
  await logHas(run.log, '"proxyHost"');
  const containers = await runContainers(`${taskId}/0`);
  const inspected = JSON.stringify([...containers.values()]);

  expect((await worker.outcome(taskId)).exitCode).toBe(4);
  expect(cloud.state.sessions.all.map(({ state }) => state)).toEqual(['SUCCEEDED']);
  expect(await journal()).toEqual([]);
  const log = await deployment.taskLog(taskId);
  expect(JSON.parse(/^DEVICE_CAPABILITIES=(.*)$/m.exec(log)?.[1] ?? '')).toEqual(phone);
  for (const place of [log, worker.log(), inspected]) {
    expect(place).not.toContain(apiKey);
    expect(place).not.toContain(Buffer.from(`${apiKey}:`).toString('base64'));
  }
});

test('the URL of a build is signed with what the task may do, and no more', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(
    deployment,
    settings({ flash: { project: 'flash-fxos-new-url', pollSeconds: 0.1 } }),
  );
  const { rootUrl } = deployment.local;
  await deployment.secrets.set('phones/build', {
    secret: { key: 'of-the-build' },
    expires: new Date(Date.now() + 3_600_000).toJSON(),
  });
  const build = `${rootUrl}/api/secrets/v1/secret/phones%2Fbuild`;
  const create = (granted: string[]) =>
    deployment.createTask(task(borrow, { ...phone, build }), { scopes: [...scopes, ...granted] });

  const allowed = await create(['secrets:get:phones/build']);
  await worker.outcome(allowed);
  const refused = await create([]);
  await worker.outcome(refused);

  const urls = cloud.state.runs.all.map(
    ({ parameters }) => parameters.find(({ key }) => key === 'FLAME_ZIP_URL')?.value ?? '',
  );
  expect(urls).toHaveLength(1);
  expect(await (await fetch(urls[0] ?? '')).json()).toMatchObject({ secret: { key: 'of-the-build' } });
  expect(await deployment.taskLog(allowed)).not.toContain('bewit');
  expect(worker.log()).not.toContain('bewit=');
});

test('a task that is aborted by the shutdown of its worker gives its phone back', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings());
  const taskId = await deployment.createTask(task(`${borrow}; echo; echo borrowed; sleep 100`), { scopes });
  await logHas((await worker.run(taskId)).log, 'borrowed');
  expect(cloud.state.sessions.open).toHaveLength(1);

  worker.abort();
  await cloud.state.until(() => cloud.state.sessions.open.length === 0);

  expect(await worker.outcome(taskId)).toMatchObject({
    resolution: { kind: 'exception', reason: 'worker-shutdown' },
  });
});

test('when the worker is killed its service gives the phone back', async () => {
  await using deployment = await startDeployment();
  await using worker = await startCommand(deployment);
  await deployment.createTask(task(`${borrow}; sleep 100`), { scopes });
  await cloud.state.until(() => cloud.state.sessions.open.length === 1);

  worker.kill('SIGKILL');

  await cloud.state.until(() => cloud.state.sessions.open.length === 0);
  await using next = await startCommand(deployment);
  await next.printed(/"type":"start"/);
});

test('what a cloud that is down cannot be told is told when the worker starts again', async () => {
  await using deployment = await startDeployment();
  await using events = await EngineEvents.open();
  await using worker = await startCommand(deployment);
  const taskId = await deployment.createTask(task(`${borrow}; sleep 100`), { scopes });
  // The last thing that the service does before it answers: what the worker wrote down is there by then.
  await cloud.state.until(() => cloud.state.requests.some(({ url }) => url.includes('marionette')));
  const service = (await runContainers(`${taskId}/0`)).get('sidecar:testdroid-proxy')?.Id ?? '';
  cloud.state.faults.add({ path: '/release', hangUp: true });

  worker.kill('SIGKILL');
  await events.happened('destroy', service);
  expect(cloud.state.sessions.open).toHaveLength(1);
  expect(await journal()).toHaveLength(1);

  cloud.state.faults.clear();
  await using next = await startCommand(deployment);
  await cloud.state.until(() => cloud.state.sessions.open.length === 0);
  await next.printed(/ended a session on a phone that was left behind/);
  expect(await journal()).toEqual([]);
});

test('a task without the scope or the description of a phone is refused with both reasons', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings());
  const plain = await deployment.createTask({ features: { testdroidProxy: true }, command: ['true'] });
  const unscoped = await deployment.createTask(task('true'));

  await Promise.all([worker.outcome(plain), worker.outcome(unscoped)]);

  expect(await deployment.taskLog(plain)).toContain(
    'Device configuration must be supplied when using the testdroidProxy feature',
  );
  expect(await deployment.taskLog(unscoped)).toContain('Insufficient scopes to attach devices.');
  expect(cloud.state.requests).toEqual([]);
});

function settings(more: object = {}): object {
  return { stateDirectory: folder.path, testdroid: { cloudUrl: cloud.url, apiKey, ...more } };
}

function task(script: string, wanted: object = phone): object {
  return {
    features: { testdroidProxy: true },
    capabilities: { devices: { phone: wanted } },
    command: ['bash', '-c', script],
  };
}

/** A worker in a process of its own, of the same name each time. */
async function startCommand({ local }: Deployment): Promise<Command> {
  const file = join(folder.path, 'worker.yml');
  const config = {
    ...settings(),
    ...{ rootUrl: local.rootUrl, taskcluster: local.credentials },
    ...{ provisionerId: 'test', workerType: 'e2e', workerGroup: 'phones', workerId: 'phones' },
    ...{ warm: { units: 0 }, capacityManagement: { diskspaceThreshold: 0 } },
    cache: { volumeCachePath: join(folder.path, 'caches') },
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return new Command(['start', '--config', file]);
}

/** The sessions that a worker has written down. */
async function journal(): Promise<string[]> {
  return await readdir(join(folder.path, 'phone-sessions')).catch(() => []);
}

async function logHas(log: Run['log'], text: string): Promise<void> {
  for await (const chunk of log.read()) {
    if (chunk.includes(text)) {
      return;
    }
  }
  throw new Error(`the log ended without ${text}`);
}
