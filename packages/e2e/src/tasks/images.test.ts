import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { ociLayout } from '../harness/images/oci-layout.ts';
import { startRegistry } from '../harness/images/registry.ts';
import { digest, makeTinyImage, type TinyImage } from '../harness/images/tiny-image.ts';
import { type PublishOptions, publishArtifact } from '../harness/publish-artifact.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { startTestWorker, type TestWorker } from '../harness/test-worker.ts';

const dockerConfig = { delayFactor: 20, maxArchiveBytes: 20_000_000 };

let deployment: Deployment;
let worker: TestWorker;
/** Ids of the images that a test has made. */
const made = new Set<string>();

beforeAll(async () => {
  deployment = await startDeployment();
  worker = await startTestWorker(deployment, { dockerConfig });
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  for (const id of made) {
    await docker
      .getImage(id)
      .remove({ force: true })
      .catch(() => {});
  }
  made.clear();
});

async function tinyImage(repoTags: string[] = []): Promise<TinyImage & { marker: string }> {
  const marker = randomUUID();
  const image = await makeTinyImage(marker, { repoTags });
  made.add(image.id);
  return { ...image, marker };
}

async function publish(path: string, bytes: Buffer, options?: PublishOptions): Promise<object> {
  return { type: 'task-image', taskId: await publishArtifact(deployment, path, bytes, options), path };
}

/** Runs a task that prints its image's marker. */
async function run(image: unknown, definition: object = {}) {
  const taskId = await deployment.createTask({ image, command: ['cat', '/marker'] }, definition);
  const { resolution } = await worker.outcome(taskId);
  return { taskId, kind: resolution.kind, log: await deployment.taskLog(taskId) };
}

const lz4 = (bytes: Buffer) => execFileSync('lz4', ['-c'], { input: bytes, maxBuffer: 64 * 1024 * 1024 });

test.each<[string, (bytes: Buffer) => Buffer]>([
  ['public/image.tar', (bytes) => bytes],
  ['public/image.tar.gz', gzipSync],
  ['public/image.tar.zst', zstdCompressSync],
  ['public/image.tar.lz4', lz4],
])('a task runs in the image that another task has made: %s', async (path, compress) => {
  const image = await tinyImage();
  const artifact = compress(image.archive);
  const source = await publish(path, artifact);

  const { taskId, kind, log } = await run(source);

  expect(kind).toBe('completed');
  expect(log).toContain(`${image.marker}`);
  expect(log).toContain(`Downloading artifact "${path}" from task ID: `);
  expect(log).toContain(`Downloaded ${(artifact.length / 2 ** 20).toFixed(3)} mb over the wire`);
  expect(log).toContain(` loaded.  Using image ID ${image.id}.`);
  expect((await worker.run(taskId)).image).toEqual({ hash: image.id, artifactHash: digest(artifact) });
});

test('a task runs in an image that is an OCI layout, whatever the engine knows of those', async () => {
  const image = await tinyImage();
  const source = await publish('public/image.tar', await ociLayout(image.archive));

  const { kind, log } = await run(source);

  expect(log).toContain('The image archive is an OCI layout; a manifest.json is added');
  expect(log).toContain(` loaded.  Using image ID ${image.id}.`);
  expect(log).toContain(image.marker);
  expect(kind).toBe('completed');
});

test('what the engine says of an archive names no folder of its own', async () => {
  const { archive } = await tinyImage();
  archive.write('"layer/layer.nil"', archive.indexOf('"layer/layer.tar"'));
  const source = await publish('public/image.tar', archive);

  const { kind, log } = await run(source);

  expect(kind).toBe('failed');
  expect(log).toMatch(/The image archive was refused: .*layer\/layer\.nil: no such file/);
  expect(log).not.toContain('docker-import-');
});

test('what was compressed for the way only is hashed without that', async () => {
  const image = await tinyImage();
  const source = await publish('public/image.tar', gzipSync(image.archive), { contentEncoding: 'gzip' });

  const { taskId, kind } = await run(source);

  expect(kind).toBe('completed');
  expect((await worker.run(taskId)).image?.artifactHash).toBe(digest(image.archive));
});

test('names in an archive name nothing on the host', async () => {
  const victim = `docker-worker-e2e-victim-${randomUUID()}:latest`;
  const image = await tinyImage([victim, 'docker-worker/tc-proxy:stolen']);
  const source = (await publish('public/image.tar', image.archive)) as { taskId: string; path: string };

  await run(source);

  const { RepoTags } = await docker.getImage(image.id).inspect();
  const name = createHash('md5')
    .update(source.taskId + source.path)
    .digest('hex');
  expect(RepoTags.every((tag) => tag.startsWith(`${name}:`))).toBe(true);
  await expect(docker.getImage(victim).inspect()).rejects.toThrow(/no such image/i);
});

test('an image is found in the index', async () => {
  const image = await tinyImage();
  const namespace = `images.${randomUUID()}`;
  await publishArtifact(deployment, 'public/image.tar', image.archive, { namespace });

  const { kind, log } = await run(
    { type: 'indexed-image', namespace, path: 'public/image.tar' },
    {
      scopes: [`index:find-task:${namespace}`],
    },
  );

  expect(kind).toBe('completed');
  expect(log).toContain(image.marker);
});

test('an image that is not in the index fails the task', async () => {
  const { kind, log } = await run(
    { type: 'indexed-image', namespace: 'images.nowhere', path: 'public/image.tar' },
    { scopes: ['index:find-task:images.nowhere'] },
  );

  expect(kind).toBe('failed');
  expect(log).toContain('Could not find a task associated with "images.nowhere"');
});

test('a private image needs the scope for its artifact', async () => {
  const image = await tinyImage();
  const source = await publish('private/image.tar', image.archive);

  const without = await run(source);
  expect(without.kind).toBe('failed');
  expect(without.log).toContain('Not authorized to use the image artifact private/image.tar');

  const withScope = await run(source, { scopes: ['queue:get-artifact:private/*'] });
  expect(withScope.kind).toBe('completed');
  expect(withScope.log).toContain(image.marker);
});

test('an artifact that does not exist fails the task at once', async () => {
  const image = await tinyImage();
  const { taskId } = (await publish('public/image.tar', image.archive)) as { taskId: string };

  const { kind, log } = await run({ type: 'task-image', taskId, path: 'public/other.tar' });

  expect(kind).toBe('failed');
  expect(log).toContain('Could not download artifact "public/other.tar"');
  expect(log).toContain('HTTP status 404');
});

test('an archive that unpacks to more than allowed is refused, and the worker goes on', async () => {
  const source = await publish('public/bomb.tar.zst', zstdCompressSync(Buffer.alloc(200_000_000)));

  const { kind, log } = await run(source);
  expect(kind).toBe('failed');
  expect(log).toContain('[taskcluster:error] Pulling docker image has failed.');

  expect((await run('docker-worker/example-task')).kind).toBe('failed');
  const taskId = await deployment.createTask({ command: ['true'] });
  expect((await worker.outcome(taskId)).resolution.kind).toBe('completed');
});

test('a layer that is not what its configuration says is refused by the engine', async () => {
  const image = await tinyImage();
  const archive = Buffer.from(image.archive);
  const at = archive.indexOf(image.marker);
  archive.write('changed!', at);
  const source = await publish('public/image.tar', archive);

  const { kind, log } = await run(source);

  expect(kind).toBe('failed');
  expect(log).toMatch(/The image archive was refused: .*diffID/);
});

test('an image of a registry is pulled, once for all who want it', async () => {
  const image = await tinyImage();
  await using registry = await startRegistry('team/tool', image);
  const name = `${registry.address}/team/tool`;

  const runs = await Promise.all([run(name), run(name)]);

  expect(runs.map(({ kind }) => kind)).toEqual(['completed', 'completed']);
  expect(runs[0]?.log).toContain(image.marker);
  expect(runs.map(({ log }) => log).join()).toContain('- Downloaded in ');
  expect(registry.requests.filter((request) => request.endsWith(digest(image.layer)))).toHaveLength(1);
});

test('an image is pulled by its digest', async () => {
  const image = await tinyImage();
  await using registry = await startRegistry('team/tool', image);
  await run(`${registry.address}/team/tool`);
  const [byDigest = ''] = (await docker.getImage(image.id).inspect()).RepoDigests;
  await docker.getImage(image.id).remove({ force: true });

  expect((await run(byDigest)).kind).toBe('completed');
});

test('an image that tasks made the worker fetch goes when nobody uses it for long; others stay', async () => {
  const mineName = `mine-${randomUUID()}:latest`;
  const [named, made, mine] = [await tinyImage(), await tinyImage(), await tinyImage([mineName])];
  await docker.loadImage(Readable.from([mine.archive]));
  await using registry = await startRegistry('team/tool', named);
  await using folder = await makeTempDir();
  await using elsewhere = await startDeployment();
  await using own = await startTestWorker(elsewhere, {
    garbageCollection: { imageExpiration: 0 },
    stateDirectory: folder.path,
  });
  const source = {
    type: 'task-image',
    taskId: await publishArtifact(elsewhere, 'public/image.tar', made.archive),
    path: 'public/image.tar',
  };

  for (const image of [`${registry.address}/team/tool`, source, mineName]) {
    const taskId = await elsewhere.createTask({ image, command: ['cat', '/marker'] });
    expect((await own.outcome(taskId)).resolution.kind).toBe('completed');
  }
  await own[Symbol.asyncDispose]();

  expect(own.log().match(/"image removed"/g)).toHaveLength(2);
  await expect(docker.getImage(named.id).inspect()).rejects.toThrow(/no such image/i);
  await expect(docker.getImage(made.id).inspect()).rejects.toThrow(/no such image/i);
  expect((await docker.getImage(mine.id).inspect()).Id).toBe(mine.id);
});

test('a registry that is overloaded for a while is asked again', async () => {
  const image = await tinyImage();
  await using registry = await startRegistry('team/tool', image);
  registry.faults.push(503, 503, 500, 503);

  const { kind, log } = await run(`${registry.address}/team/tool`);

  expect(kind).toBe('completed');
  expect(log).toContain('trying again in');
});

test('an image that a registry does not have fails the task at once', async () => {
  await using registry = await startRegistry('team/tool', await tinyImage());

  const { kind, log } = await run(`${registry.address}/team/typo`);

  expect(kind).toBe('failed');
  expect(log).toContain('Pulling docker image has failed.');
  expect(log).not.toContain('trying again');
});

test('a registry that is gone is given up after the attempts', async () => {
  const image = await tinyImage();
  const registry = await startRegistry('team/tool', image);
  const name = `${registry.address}/team/tool`;
  await registry[Symbol.asyncDispose]();

  const { kind, log } = await run(name);

  expect(kind).toBe('failed');
  expect(log.match(/trying again in/g)).toHaveLength(4);
});

test('a registry with a login is used with the configured one, for tasks that have the scope', async () => {
  const image = await tinyImage();
  const login = { username: 'robot', password: 'secret-of-the-robot' };
  await using registry = await startRegistry('team/tool', image, login);
  await using elsewhere = await startDeployment();
  await using own = await startTestWorker(elsewhere, {
    dockerConfig,
    registries: { [`${registry.address}/team`]: login },
  });
  const name = `${registry.address}/team/tool`;
  const outcomes: string[] = [];
  for (const scopes of [
    [],
    [`docker-worker:image:${name}:latest`],
    [`docker-worker:image:${registry.address}/*`],
  ]) {
    const taskId = await elsewhere.createTask({ image: name, command: ['cat', '/marker'] }, { scopes });
    const { resolution } = await own.outcome(taskId);
    outcomes.push(resolution.kind);
    const log = await elsewhere.taskLog(taskId);
    expect(log).toContain(scopes.length === 0 ? `Not authorized to use the image ${name}` : image.marker);
    expect(log + own.log()).not.toContain(login.password);
  }

  expect(outcomes).toEqual(['failed', 'completed', 'completed']);
});

test('a wrong login fails the task at once', async () => {
  await using registry = await startRegistry('team/tool', await tinyImage(), {
    username: 'robot',
    password: 'right',
  });
  await using elsewhere = await startDeployment();
  await using own = await startTestWorker(elsewhere, {
    dockerConfig,
    registries: { [registry.address]: { username: 'robot', password: 'wrong' } },
  });
  const taskId = await elsewhere.createTask(
    { image: `${registry.address}/team/tool` },
    { scopes: ['docker-worker:image:*'] },
  );

  expect((await own.outcome(taskId)).resolution.kind).toBe('failed');
  const log = await elsewhere.taskLog(taskId);
  expect(log).toMatch(/not found|unauthorized/);
  expect(log).not.toContain('trying again');
});
