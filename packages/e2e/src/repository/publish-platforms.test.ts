import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { type FakeAnswers, type PublishRun, publishWithFakeDocker } from '../harness/images/fake-docker.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const registry = 'registry.example.com/ci';
const tcProxy = join(import.meta.dirname, '../../../tc-proxy');
const { version } = JSON.parse(readFileSync(join(tcProxy, 'package.json'), 'utf8')) as { version: string };

const ownBuilder = builder('docker-container', 'linux/amd64*, linux/amd64/v2, linux/arm64, linux/386');
const engineBuilder = builder('docker', 'linux/amd64, linux/arm64');

let run: PublishRun;
beforeAll(async () => {
  run = await publish({ 'buildx inspect': ownBuilder });
}, 300_000);

test('with a builder for both architectures each image is one build, whose list of images is what is pushed', () => {
  const { stderr, commands } = run;

  expect(stderr).toMatch(/^publishing for linux\/amd64 and linux\/arm64, by buildx$/m);
  const build = commands.find((line) => line.endsWith(' packages/tc-proxy'));
  expect(build).toContain(
    ' --build-arg=NAME=tc-proxy --build-arg=DESCRIPTION=http://taskcluster in a task: ',
  );
  const fixed = build
    ?.replace(/REVISION=\S+/, 'REVISION=…')
    .replace(/ --build-arg=NAME=.*(?= --build-arg=SOURCE_DATE_EPOCH)/, '');
  expect(fixed?.split(' ')).toEqual([
    ...['docker', 'buildx', 'build', '--platform=linux/amd64,linux/arm64'],
    ...[version, 'latest', 'rc'].map((tag) => `--tag=${registry}/docker-worker/tc-proxy:${tag}`),
    '--build-arg=BASE_IMAGE=node:24-bookworm-slim',
    '--build-arg=REVISION=…',
    '--build-arg=SOURCE=https://github.com/taskcluster/docker-worker',
    `--build-arg=VERSION=${version}`,
    '--build-arg=SOURCE_DATE_EPOCH=1700000000',
    '--provenance=false',
    '--output=type=registry,rewrite-timestamp=true',
    '--metadata-file=<scratch>/metadata.json',
    '--file=docker/images/service.Dockerfile',
    'packages/tc-proxy',
  ]);
  // Nothing is made on or sent by the engine of this host.
  expect(commands.filter((line) => /^docker (build|push|save|load|tag|run) /.test(line))).toEqual([]);
});

test('what the worker pins and what is signed is the digest of the list', () => {
  const { commands, files } = run;
  const { sidecars } = files['sidecars.json'] as { sidecars: { digests: Record<string, string> } };
  expect(Object.keys(sidecars.digests)).toEqual(expect.arrayContaining(['tc-proxy', 'vpn-proxy']));
  expect(new Set(Object.values(sidecars.digests))).toEqual(new Set([digest]));
  expect(commands).toContain(
    `cosign sign --yes --recursive --key a-key ${registry}/docker-worker/tc-proxy@${digest}`,
  );
});

test('the bill of materials has the Debian packages of both architectures', () => {
  const { files } = run;
  const { components } = files['tc-proxy.cdx.json'] as {
    components: { name: string; purl: string }[];
  };
  expect(components.filter(({ name }) => name === 'libc6').map(({ purl }) => purl)).toEqual([
    'pkg:deb/debian/libc6@2.36-9?arch=amd64',
    'pkg:deb/debian/libc6@2.36-9?arch=arm64',
  ]);
  expect(components.map(({ name }) => name)).toContain('fastify');
});

test('an engine that stores lists of images builds for both by itself', async () => {
  const info = '[["driver-type","io.containerd.snapshotter.v1"]]';
  const answers = { 'buildx inspect': engineBuilder, info, 'buildx build': { refusal: 'that is enough' } };

  await expect(publish(answers)).rejects.toMatchObject({
    stderr: expect.stringContaining('publishing for linux/amd64 and linux/arm64, by buildx\n'),
  });
});

test.each<[string, FakeAnswers, string]>([
  [
    'no buildx',
    { 'buildx inspect': { refusal: "docker: 'buildx' is not a docker command.\nSee 'docker --help'" } },
    'docker has no buildx',
  ],
  [
    'a builder that does not start',
    { 'buildx inspect': { refusal: 'ERROR: no builder "mine" found' } },
    'buildx has no builder that works (ERROR: no builder "mine" found)',
  ],
  [
    'a builder without emulation',
    { 'buildx inspect': builder('docker-container', 'linux/amd64, linux/386') },
    'the builder "mine" does not build for linux/arm64 (QEMU\'s binfmt handlers would let it)',
  ],
  [
    'an engine that stores single images',
    { 'buildx inspect': engineBuilder, info: '[["Backing Filesystem","extfs"]]' },
    'the builder "mine" makes one platform at a time ("docker buildx create --use" makes a better one)',
  ],
])('with %s the platform of this host is published, and one line says why', async (_, answers, reason) => {
  const host = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
  await expect(publish(answers)).rejects.toMatchObject({
    // The fake has no images to go on with.
    stderr: expect.stringContaining(`publishing for ${host} only: ${reason}\n`),
  });
});

/** What `docker buildx inspect` prints of a builder with one node. */
function builder(driver: string, platforms: string): string {
  return `Name:          mine
Driver:        ${driver}
Last Activity: 2026-11-25 12:00:00 +0000 UTC

Nodes:
Name:                  mine0
Endpoint:              unix:///var/run/docker.sock
Status:                running
BuildKit version:      v0.26.1
Platforms:             ${platforms}
Labels:
 org.mobyproject.buildkit.worker.executor: oci
`;
}

async function publish(answers: FakeAnswers) {
  await using folder = await makeTempDir();
  const argv = ['--registry', registry, '--tag', 'rc', '--base', 'node:24-bookworm-slim'];
  return await publishWithFakeDocker(folder.path, { answers, digest, argv });
}
