import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { startTestWorker, type TestWorker } from '../harness/test-worker.ts';

let deployment: Deployment;
let worker: TestWorker;
let folder: Awaited<ReturnType<typeof makeTempDir>>;

beforeAll(async () => {
  folder = await makeTempDir();
  deployment = await startDeployment();
  worker = await startWorker();
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function startWorker(settings: object = {}): Promise<TestWorker> {
  return startTestWorker(deployment, { cache: { volumeCachePath: folder.path }, ...settings });
}

/** Starts a task with caches that runs a script; by default with the scopes for them. */
function create(cache: Record<string, string>, script: string, more: object = {}, scopes?: string[]) {
  return deployment.createTask(
    { cache, command: ['sh', '-c', script], ...more },
    { scopes: scopes ?? Object.keys(cache).map((name) => `docker-worker:cache:${name}`) },
  );
}

async function run(...task: Parameters<typeof create>): Promise<{ kind: string; log: string }> {
  const taskId = await create(...task);
  const { resolution } = await worker.outcome(taskId);
  return { kind: resolution.kind, log: await deployment.taskLog(taskId) };
}

/** Instances of a cache on the host. */
async function instances(name: string): Promise<string[]> {
  return await readdir(join(folder.path, name)).catch(() => []);
}

test('what a task leaves in its caches is there for the next, and on the host', async () => {
  const caches = { 'level-1-a': '/a', 'level-1-b': '/b' };
  const first = await run(caches, 'echo one > /a/file; echo two > /b/file');
  expect(first.log).toContain('using cache "level-1-a" -> /a\n');

  const second = await run(caches, 'cat /a/file /b/file', {}, ['docker-worker:cache:level-1-*']);

  expect(second.log).toContain('one\r\ntwo\r\n');
  const [instance = ''] = await instances('level-1-a');
  expect(existsSync(join(folder.path, 'level-1-a', instance, 'file'))).toBe(true);
});

test('tasks at the same time have instances of their own', async () => {
  const script = 'touch /c/$TASK_ID; sleep 2; ls /c | wc -l';
  const taskIds = await Promise.all([create({ twins: '/c' }, script), create({ twins: '/c' }, script)]);
  await Promise.all(taskIds.map((taskId) => worker.outcome(taskId)));

  for (const taskId of taskIds) {
    expect(await deployment.taskLog(taskId)).toMatch(/\n1\r\n/);
  }
  expect(await instances('twins')).toHaveLength(2);
});

test.each<[string, Record<string, string>, string[] | undefined, string]>([
  ['without its scope', { 'no-scope': '/c' }, [], 'Insufficient scopes to attach cache volumes.'],
  ['with an invalid name', { 'a::b': '/c' }, undefined, 'Error: Invalid key name was provided'],
])('a cache %s fails the task, and no directory is made', async (_case, cache, scopes, message) => {
  const { kind, log } = await run(cache, 'true', {}, scopes);

  expect(kind).toBe('failed');
  expect(log).toContain(message);
  expect(await instances(Object.keys(cache)[0] ?? '')).toEqual([]);
});

test('an exit code of onExitStatus.purgeCaches throws the caches away, and a purge request does', async () => {
  const purging = { onExitStatus: { purgeCaches: [36] } };
  expect((await run({ doomed: '/c' }, 'touch /c/file; exit 36', purging)).kind).toBe('failed');
  expect((await run({ doomed: '/c' }, 'ls /c | wc -l; touch /c/new')).log).toMatch(/\n0\r\n/);

  const { rootUrl, credentials } = deployment.local;
  const service = new taskcluster.PurgeCache({ rootUrl, credentials });
  await service.purgeCache('test/e2e', { cacheName: 'doomed' });
  expect((await run({ doomed: '/c' }, 'ls /c | wc -l')).log).toMatch(/\n0\r\n/);
  expect(worker.log().match(/cache volume removed/g)?.length).toBeGreaterThanOrEqual(2);
});

test('a new cache has owner and mode of the folder that it covers, so that an image without root can use it', async () => {
  const image = `e2e-cache-user-${process.pid}`;
  const recipe = `FROM docker-worker/example-task
RUN mkdir -p /home/builder/cache && chown 1234:2345 /home/builder/cache && chmod 2750 /home/builder/cache
USER 1234:2345
`;
  execFileSync('docker', ['build', '--quiet', '--tag', image, '-'], { input: recipe });
  try {
    const script = 'echo mine > /home/builder/cache/file; stat -c "%a %u %g" /home/builder/cache';
    const first = await run({ owned: '/home/builder/cache', rooted: '/nowhere' }, script, { image });
    const second = await run({ owned: '/home/builder/cache' }, 'cat /home/builder/cache/file', { image });

    expect(first.log).toContain('\n2750 1234 2345\r\n');
    expect(second.log).toContain('\nmine\r\n');
  } finally {
    await docker.getImage(image).remove({ force: true });
  }
});

test('a cache is free again after maxRunTime, and survives a restart of the worker', async () => {
  await run({ kept: '/c' }, 'echo still here > /c/file; sleep 60', { maxRunTime: 2 });
  await worker[Symbol.asyncDispose]();

  worker = await startWorker();

  expect((await run({ kept: '/c' }, 'cat /c/file')).log).toContain('still here');
  expect(await instances('kept')).toHaveLength(1);
});

test('a cache that is not worth its disk space goes', async () => {
  await run({ bulky: '/c' }, 'touch /c/file');
  expect(await instances('bulky')).toHaveLength(1);

  await using full = await startWorker({
    capacityManagement: { diskspaceThreshold: 1e18 },
    ...{ workerId: 'full', workerType: 'full' },
  });
  await full.logged('diskspace threshold reached');

  expect(await instances('bulky')).toEqual([]);
});

const withDevice = (device: string) => ({ capabilities: { devices: { [device]: true } } });

test('a device needs its scope, for the worker pool or for all', async () => {
  const script = { command: ['sh', '-c', 'test -c /dev/kvm && echo there'], ...withDevice('kvm') };
  const kinds = existsSync('/dev/kvm')
    ? ['failed', 'completed', 'completed']
    : ['failed', 'failed', 'failed'];
  const scopes = [
    [],
    ['docker-worker:capability:device:kvm'],
    ['docker-worker:capability:device:kvm:test/e2e'],
  ];
  for (const [index, held] of scopes.entries()) {
    const taskId = await deployment.createTask(script, { scopes: held });
    expect((await worker.outcome(taskId)).resolution.kind).toBe(kinds[index]);
    expect(await deployment.taskLog(taskId)).toContain(
      index === 0
        ? 'Insufficient scopes to attach devices'
        : existsSync('/dev/kvm')
          ? 'there\r\n'
          : 'payload.capabilities.devices.kvm',
    );
  }
});

test("the host's shared memory is the task's", async () => {
  const taskId = await deployment.createTask(
    { command: ['sh', '-c', 'grep " /dev/shm " /proc/mounts'], ...withDevice('hostSharedMemory') },
    { scopes: ['docker-worker:capability:device:*'] },
  );

  expect((await worker.outcome(taskId)).resolution.kind).toBe('completed');
  expect(await deployment.taskLog(taskId)).not.toContain('size=1757812k');
});

const kindsWithoutHost = ['loopbackVideo', 'loopbackAudio'].filter(
  (kind) => !existsSync(kind === 'loopbackVideo' ? '/dev/video0' : '/dev/snd'),
);

test.each(kindsWithoutHost)('%s on a host without it fails the task with the reason', async (kind) => {
  const taskId = await deployment.createTask(withDevice(kind), {
    scopes: ['docker-worker:capability:device:*'],
  });

  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'failed' });
  expect(await deployment.taskLog(taskId)).toContain(`payload.capabilities.devices.${kind}`);
});

test('privileged needs the scope, then a worker that allows it', async () => {
  const privileged = { capabilities: { privileged: true } };
  for (const [scopes, message] of [
    [[], 'Insufficient scopes to run task in privileged mode'],
    [['docker-worker:capability:privileged'], 'Error: Cannot run task using docker privileged mode'],
  ] as const) {
    const taskId = await deployment.createTask(privileged, { scopes });
    expect((await worker.outcome(taskId)).resolution.kind).toBe('failed');
    expect(await deployment.taskLog(taskId)).toContain(message);
  }
});

test('restrictCPU gives each task one core, and as many tasks as there are cores', async () => {
  await using pinned = await startTestWorker(deployment, {
    restrictCPU: true,
    workerId: 'pinned',
    workerType: 'pinned',
  });
  const taskIds = await Promise.all(
    Array.from({ length: cpus().length + 1 }, () =>
      deployment.createTask(
        { command: ['sh', '-c', 'echo "Processors: $(nproc)"; grep Cpus_allowed_list /proc/self/status'] },
        { taskQueueId: 'test/pinned' },
      ),
    ),
  );
  await Promise.all(taskIds.map((taskId) => pinned.outcome(taskId)));

  for (const taskId of taskIds) {
    expect(await deployment.taskLog(taskId)).toContain('Processors: 1\r\n');
  }
});
