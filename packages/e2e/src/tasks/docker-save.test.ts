import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { makeTinyImage } from '../harness/images/tiny-image.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { startTestWorker } from '../harness/test-worker.ts';

const docker = new Docker();
const run = promisify(execFile);

/** Small, because all of it is saved. */
const image = 'docker-worker-e2e-save:latest';

beforeAll(async () => {
  const { archive } = await makeTinyImage('to be saved', {
    repoTags: [image],
    tools: ['busybox', 'sh', 'cat', 'ls'],
  });
  await using folder = await makeTempDir();
  await writeFile(join(folder.path, 'image.tar'), archive);
  await run('docker', ['load', '--input', join(folder.path, 'image.tar')]);
});
afterAll(() => run('docker', ['rmi', image]));

test('the container of a task is uploaded as an image that runs under either name, on a host without a trace of it', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  await using folder = await makeTempDir();
  const taskId = await deployment.createTask({
    image,
    features: { dockerSave: true },
    command: ['sh', '-c', 'echo "made by a task" > /result.txt; exit 3'],
  });

  // The image of a task that failed is the one people want to look into.
  expect((await worker.outcome(taskId)).exitCode).toBe(3);
  expect(await namesOf(taskId)).toEqual([]);

  const log = await deployment.taskLog(taskId);
  expect(log).toMatch(/^\[taskcluster [^\]]+\] dockerSave: saving the container \(.* of its own\) as /m);
  expect(log).toMatch(/dockerSave: public\/dockerImage\.tar: [\d.]+ MiB of about [\d.]+ MiB/);
  expect(log).toMatch(/dockerSave: public\/dockerImage\.tar is uploaded: [\d.]+ MiB, [\d.]+ MiB as stored/);
  const response = await artifact(deployment, taskId, 'public/dockerImage.tar');
  expect(response.headers.get('content-type')).toBe('application/x-tar');
  expect(response.headers.get('content-encoding')).toBe('gzip');
  const file = join(folder.path, 'image.tar');
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
  const id = taskId.toLowerCase();
  const names = [`task-${id.replaceAll('_', '-')}-0:latest`, `${id.replaceAll(/[_-]/g, '0')}-0:latest`];
  try {
    await run('docker', ['load', '--input', file]);
    for (const name of names) {
      expect(await dockerRun(name, 'cat', '/result.txt')).toBe('made by a task\n');
    }
    const { Config: config } = await docker.getImage(names[0] ?? '').inspect();
    // Else what is run from it would be taken for something that a worker left behind.
    expect(Object.values(config.Labels ?? {}).join('')).not.toContain(taskId);
  } finally {
    await run('docker', ['rmi', ...names]);
  }
});

test('what is in the caches is uploaded beside it, and no link of a cache leads out of it', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  await using worker = await startTestWorker(deployment, { cache: { volumeCachePath: folder.path } });
  const taskId = await deployment.createTask(
    {
      image,
      features: { dockerSave: true },
      cache: { 'some-cache': '/cache/' },
      command: [
        'sh',
        '-c',
        'cd /cache && mkdir sub && echo kept > sub/file && busybox ln -s /etc/shadow link',
      ],
    },
    { scopes: ['docker-worker:cache:some-cache'] },
  );

  expect(await worker.outcome(taskId)).toMatchObject({ resolution: { kind: 'completed' } });

  const response = await artifact(deployment, taskId, 'public/cache/some-cache.tar');
  expect(response.headers.get('content-type')).toBe('application/x-tar');
  const unpacked = join(folder.path, 'unpacked');
  await mkdir(unpacked);
  await writeFile(join(folder.path, 'cache.tar'), Buffer.from(await response.arrayBuffer()));
  await run('tar', ['-xf', join(folder.path, 'cache.tar'), '-C', unpacked]);
  expect((await readdir(unpacked)).sort()).toEqual(['link', 'sub']);
  expect(await readFile(join(unpacked, 'sub/file'), 'utf8')).toBe('kept\n');
  expect((await run('readlink', [join(unpacked, 'link')])).stdout).toBe('/etc/shadow\n');
});

test('what fits on no disk fails the task, which is told why, and leaves nothing', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  const taskId = await deployment.createTask({
    image,
    features: { dockerSave: true },
    command: ['busybox', 'truncate', '-s', '9895604649984', '/enormous'],
  });

  expect(await worker.outcome(taskId)).toMatchObject({ resolution: { kind: 'failed' } });
  expect(await deployment.taskLog(taskId)).toMatch(
    /^\[taskcluster:error\] dockerSave: the container cannot be saved: it may take [\d.]+ TiB on the disk of .*, where [\d.]+ GiB are free$/m,
  );
  expect(await namesOf(taskId)).toEqual([]);
});

test('the container of a cancelled task is not saved', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  const taskId = await deployment.createTask({
    image,
    features: { dockerSave: true },
    command: ['sh', '-c', 'echo started; sleep 60'],
  });
  const { log } = await worker.run(taskId);
  for await (const chunk of log.read()) {
    if (chunk.includes('started')) break;
  }
  await deployment.queue.cancelTask(taskId);
  (await worker.run(taskId)).abort({ kind: 'canceled' });

  expect(await worker.outcome(taskId)).toMatchObject({ resolution: { kind: 'none' } });
  const { artifacts } = await deployment.queue.listArtifacts(taskId, 0);
  expect(artifacts.map(({ name }: { name: string }) => name)).not.toContain('public/dockerImage.tar');
});

async function artifact({ queue }: Deployment, taskId: string, name: string): Promise<Response> {
  return await fetch(queue.buildUrl(queue.getLatestArtifact, taskId, name));
}

async function dockerRun(...args: string[]): Promise<string> {
  return (await run('docker', ['run', '--rm', ...args])).stdout;
}

/** All that the engine has of a task's container, whatever it is called. */
async function namesOf(taskId: string): Promise<string[]> {
  const id = taskId.toLowerCase();
  const names = [id, id.replaceAll('_', '-'), id.replaceAll(/[_-]/g, '0')];
  const all = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []);
  return all.filter((name) => names.some((part) => name.toLowerCase().includes(part)));
}
