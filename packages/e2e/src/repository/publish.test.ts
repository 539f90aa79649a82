import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { startDeployment } from '../harness/deployment.ts';
import {
  type ImageRegistry,
  type Published,
  publishImages,
  startImageRegistry,
} from '../harness/images/published-images.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';
import { hostAddress, ThrowawayEngine } from '../harness/throwaway-engine.ts';

const run = promisify(execFile);
const resources = new AsyncDisposableStack();
let folder: TempDir;
let registry: ImageRegistry;
let published: Published;

beforeAll(async () => {
  folder = resources.use(await makeTempDir());
  registry = resources.use(await startImageRegistry('127.0.0.1', folder.path));
  published = await publishImages(`${registry.address}/proxies`, join(folder.path, 'published'), 'rc');
}, 300_000);

afterAll(async () => {
  const { stdout } = await run('docker', ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}']);
  const pushed = stdout.split('\n').filter((name) => name.startsWith(`${registry.address}/`));
  if (pushed.length > 0) await run('docker', ['image', 'rm', ...pushed]);
  await resources.disposeAsync();
});

test('every image is in the registry under its version, latest and the tag, with the digest that was told', async () => {
  const names = ['exec-ws-server', 'relengapi-proxy', 'tc-proxy', 'vpn-proxy'];
  expect(Object.keys(published.sidecars.digests)).toEqual(expect.arrayContaining(names));
  for (const name of ['worker', ...names]) {
    const digests = await Promise.all(['0.1.0', 'latest', 'rc'].map((tag) => digestOf(name, tag)));
    expect(new Set(digests).size).toBe(1);
    if (name !== 'worker') expect(digests[0]).toBe(published.sidecars.digests[name]);
  }
});

test('each image has a bill of materials, with what its code and its base are made of', async () => {
  const { components } = await published.bill('tc-proxy');
  const names = components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['fastify', 'undici', 'zod', 'libc6', 'ca-certificates']));
  expect(names).not.toContain('jest');
});

test('a worker in a container, on an engine without any image, pulls its sidecars by digest and runs a task', async () => {
  await using engine = await ThrowawayEngine.startConnected();
  await using mirror = await startImageRegistry(hostAddress, folder.path);
  await using local = await startLocalTaskcluster({ host: hostAddress });
  const images = `${mirror.address}/proxies/docker-worker`;
  const state = join(folder.path, 'state');
  await writeFile(
    join(folder.path, 'worker.json'),
    JSON.stringify({
      rootUrl: local.rootUrl,
      taskcluster: local.credentials,
      provisionerId: 'test',
      workerType: 'e2e',
      workerGroup: 'test-group',
      workerId: 'test-container',
      capacityManagement: { diskspaceThreshold: 0 },
      stateDirectory: state,
      cache: { volumeCachePath: join(state, 'caches') },
      warm: { units: 0 },
      admin: { port: 0 },
      sidecars: { ...published.sidecars, registry: `${mirror.address}/proxies` },
    }),
  );
  const queue = new taskcluster.Queue({ rootUrl: local.rootUrl, credentials: local.credentials });
  const taskId = taskcluster.slugid();
  await queue.createTask(taskId, {
    taskQueueId: 'test/e2e',
    created: taskcluster.fromNowJSON('0 seconds'),
    deadline: taskcluster.fromNowJSON('1 hour'),
    metadata: {
      name: 'e2e',
      description: 'a test',
      owner: 'nobody@example.com',
      source: 'https://example.com',
    },
    payload: {
      image: `${images}/example-task:0.1.0`,
      maxRunTime: 60,
      features: { taskclusterProxy: true },
      cache: {},
      command: ['bash', '-c', 'curl --silent --fail $TASKCLUSTER_PROXY_URL/api/queue/v1/ping'],
    },
  });

  await engine.docker(
    ...['run', '--detach', '--name=worker', '--network=host', '--pid=host'],
    ...[`--volume=${engine.host.replace('unix://', '')}:/var/run/docker.sock`, `--volume=${state}:${state}`],
    ...[`--volume=${folder.path}/worker.json:/etc/worker.json:ro`],
    ...[`${images}/worker:0.1.0`, 'start', '--config', '/etc/worker.json'],
  );
  const log = await logUntil(engine, /"type":"task resolved"/);

  expect(log).toContain('"resolution":"completed"');
  expect((await queue.status(taskId)).status.state).toBe('completed');
  const pulled = await engine.docker('image', 'ls', '--digests', '--format', '{{.Repository}}@{{.Digest}}');
  expect(pulled).toContain(`${images}/tc-proxy@${published.sidecars.digests['tc-proxy']}`);
  await engine.docker('stop', '--time=30', 'worker');
  expect(await engine.docker('inspect', '--format', '{{.State.ExitCode}}', 'worker')).toBe('0');
  expect(await engine.docker('ps', '--all', '--format', '{{.Names}}')).toBe('worker');
});

test('a worker in a container without the folders of its host says what to mount', async () => {
  await using deployment = await startDeployment();
  const config = join(folder.path, 'unmounted.json');
  await writeFile(
    config,
    JSON.stringify({
      rootUrl: deployment.local.rootUrl,
      taskcluster: deployment.local.credentials,
      provisionerId: 'test',
      workerType: 'e2e',
      workerGroup: 'test-group',
      workerId: 'test-unmounted',
      stateDirectory: '/var/lib/only-in-the-container',
      admin: { port: 0 },
    }),
  );

  const failed = run('docker', [
    ...['run', '--rm', '--network=host', '--volume=/var/run/docker.sock:/var/run/docker.sock'],
    ...[
      `--volume=${config}:/etc/worker.json:ro`,
      'docker-worker/worker',
      'start',
      '--config',
      '/etc/worker.json',
    ],
  ]);

  await expect(failed).rejects.toMatchObject({
    code: 125,
    stderr: expect.stringMatching(
      /does not find \/var\/lib\/only-in-the-container \("stateDirectory"\).*--volume \/var\/lib\/only-in-the-container:/,
    ),
  });
});

async function digestOf(name: string, tag: string): Promise<string | null> {
  const url = `http://${registry.address}/v2/proxies/docker-worker/${name}/manifests/${tag}`;
  const accept = 'application/vnd.docker.distribution.manifest.v2+json';
  const response = await fetch(url, { method: 'HEAD', headers: { accept } });
  return response.headers.get('docker-content-digest');
}

/** Follows the worker's log until a line matches. */
async function logUntil(engine: ThrowawayEngine, pattern: RegExp): Promise<string> {
  const child = execFile('docker', ['--host', engine.host, 'logs', '--follow', 'worker']);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk;
      if (pattern.test(text)) child.kill();
    });
  }
  await once(child, 'close');
  return text;
}
