import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import taskcluster, { type Client } from 'taskcluster-client';
import { makeDiskImage } from '../../../../deploy/disk-image.ts';
import { freePort } from '../harness/free-port.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { BootedMachine } from './booted-machine.ts';

const run = promisify(execFile);

/** Minutes in an emulated machine: too long for every run of all tests. */
const isWanted = process.env.DOCKER_WORKER_VM_TESTS === '1';
const suite = isWanted ? describe : describe.skip;
if (!isWanted) {
  process.stderr.write(
    'skipped: the machine image, which takes minutes and a virtual machine; run it with "npm run test:vm"\n',
  );
}

suite('the disk image of a worker', () => {
  const resources = new AsyncDisposableStack();
  let machine: BootedMachine;
  let queue: Client;
  let bootedAt = 0;

  beforeAll(async () => {
    const folder = resources.use(await makeTempDir()).path;
    const disk = join(folder, 'worker.raw');
    await makeDiskImage(disk, { images: ['docker-worker/example-task:latest'] });
    const { blocks } = await stat(disk);
    process.stderr.write(`the disk image takes ${Math.round((blocks * 512) / 2 ** 20)} MiB\n`);
    const port = await freePort();
    const local = resources.use(
      await startLocalTaskcluster({ host: '127.0.0.1', port, rootUrl: `http://10.0.2.2:${port}` }),
    );
    const client = { rootUrl: `http://127.0.0.1:${port}`, credentials: local.credentials };
    queue = new taskcluster.Queue(client);
    const config = await configurationDisk(folder, local.rootUrl, new taskcluster.WorkerManager(client));
    bootedAt = Date.now();
    machine = resources.use(await BootedMachine.start([disk, config]));
  }, 900_000);
  afterAll(() => resources.disposeAsync());

  test('it boots, registers, and runs a task with a proxy and a profile of its own', async () => {
    const taskId = await createTask(queue, {
      features: { taskclusterProxy: true, allowPtrace: true },
      command: [
        'bash',
        '-euc',
        'cat /proc/self/attr/current; curl -sf $TASKCLUSTER_PROXY_URL/api/queue/v1/ping',
      ],
    });

    const run = await untilState(queue, taskId, ['completed', 'failed', 'exception']);

    process.stderr.write(
      `from the start of the machine to the claim: ${Date.parse(run.started) - bootedAt} ms\n`,
    );
    const text = await download(queue.buildUrl(queue.getArtifact, taskId, 0, 'public/logs/live.log'));
    expect({ state: run.state, text }).toMatchObject({ state: 'completed' });
    expect(text).toMatch(/docker-worker\S* \(enforce\)/);
    expect(text).toContain('"alive":true');
  }, 600_000);

  test('the power button lets the running task finish, and then powers it off', async () => {
    const taskId = await createTask(queue, { command: ['sleep', '20'] });
    await untilState(queue, taskId, ['running']);

    await machine.pressPowerButton();

    expect(await machine.ended).toBe(0);
    expect((await queue.status(taskId)).status.state).toBe('completed');
  }, 600_000);
});

/** Identity and secret of a worker that worker-manager knows, on a disk of their own. */
async function configurationDisk(folder: string, rootUrl: string, workerManager: Client): Promise<string> {
  const staticSecret = randomBytes(33).toString('base64url');
  const [workerPoolId, workerGroup, workerId] = ['test/e2e', 'vm', 'machine'];
  await workerManager.createWorkerPool(workerPoolId, {
    providerId: 'static',
    description: 'workers for tests',
    config: { workerConfig: {}, lifecycle: { reregistrationTimeout: 3600 } },
    owner: 'nobody@example.com',
    emailOnError: false,
  });
  await workerManager.createWorker(workerPoolId, workerGroup, workerId, {
    expires: taskcluster.fromNowJSON('1 day'),
    capacity: 1,
    providerInfo: { staticSecret },
  });
  const content = join(folder, 'config');
  await mkdir(content);
  const identity = { rootUrl, providerId: 'static', workerPoolId, workerGroup, workerId };
  const settings = {
    registration: { provider: 'static', ...identity, staticSecretFile: '/etc/docker-worker/secret' },
    capacityManagement: { diskspaceThreshold: 0 },
    shutdown: { enabled: false },
    // The machine is emulated, and everything in it takes its time.
    sidecars: { readySeconds: 120 },
  };
  await writeFile(join(content, 'worker.yml'), JSON.stringify(settings));
  await writeFile(join(content, 'secret'), staticSecret);
  const disk = join(folder, 'config.img');
  await run('truncate', ['--size=4M', disk]);
  await run('mke2fs', ['-q', '-F', '-L', 'DWCONFIG', '-d', content, disk]);
  return disk;
}

async function createTask(queue: Client, payload: object): Promise<string> {
  const taskId = taskcluster.slugid();
  await queue.createTask(taskId, {
    taskQueueId: 'test/e2e',
    created: taskcluster.fromNowJSON('0 seconds'),
    deadline: taskcluster.fromNowJSON('1 hour'),
    scopes: ['docker-worker:feature:allowPtrace'],
    metadata: {
      name: 'e2e',
      description: 'a test',
      owner: 'nobody@example.com',
      source: 'https://example.com',
    },
    payload: { image: 'docker-worker/example-task', maxRunTime: 600, ...payload },
  });
  return taskId;
}

/** Redirects name this host as the machine sees it. */
async function download(url: string): Promise<string> {
  const response = await fetch(url.replace('//10.0.2.2:', '//127.0.0.1:'), { redirect: 'manual' });
  const location = response.headers.get('location');
  return location === null ? await response.text() : await download(location);
}

/** The queue tells nobody, so it is asked. */
async function untilState(queue: Client, taskId: string, states: string[]) {
  for (;;) {
    const { status } = await queue.status(taskId);
    const last = status.runs.at(-1);
    if (last !== undefined && states.includes(last.state)) return last;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
