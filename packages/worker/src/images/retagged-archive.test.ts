import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { extract, type Header, pack } from 'tar-stream';
import { type ArchiveTarget, retaggedArchive } from './retagged-archive.ts';

const reference = '0123456789abcdef0123456789abcdef:latest';
const limits = { maxArchiveBytes: 1_000_000, maxArchiveEntries: 20 };
const platform = { os: 'linux', architecture: 'amd64' };
type Files = [header: Partial<Header> & { name: string }, content?: string][];

const manifest = (...tags: string[]) =>
  JSON.stringify([{ Config: 'c.json', RepoTags: tags, Layers: ['l/layer.tar'] }]);

test('the image gets that name and no other', async () => {
  const files = await retagged([
    [{ name: 'c.json' }, '{}'],
    [{ name: 'manifest.json' }, manifest('docker-worker/tc-proxy:latest', 'b:1')],
  ]);

  expect(JSON.parse(files.get('manifest.json') ?? '')).toEqual([
    { Config: 'c.json', RepoTags: [reference], Layers: ['l/layer.tar'] },
  ]);
});

test('everything else goes through as it is', async () => {
  const layer = 'x'.repeat(300_000);
  const files = await retagged([
    [{ name: 'l', type: 'directory' }],
    [{ name: 'l/layer.tar' }, layer],
    [{ name: 'm/layer.tar', type: 'symlink', linkname: '../l/layer.tar' }],
    [{ name: 'manifest.json' }, manifest()],
  ]);

  expect([...files.keys()]).toEqual(['l', 'l/layer.tar', 'm/layer.tar', 'manifest.json']);
  expect(files.get('l/layer.tar')).toBe(layer);
  expect(files.get('m/layer.tar')).toBe('-> ../l/layer.tar');
});

test('names that begin with "./" are the same names', async () => {
  const files = await retagged([
    [{ name: './', type: 'directory' }],
    [{ name: './manifest.json' }, manifest('a:1')],
  ]);

  expect(JSON.parse(files.get('manifest.json') ?? '')[0].RepoTags).toEqual([reference]);
});

test('the names in "repositories" do not count beside a manifest', async () => {
  const files = await retagged([
    [{ name: 'repositories' }, '{"evil": {"latest": "abc"}}'],
    [{ name: 'manifest.json' }, manifest()],
  ]);

  expect([...files.keys()]).toEqual(['manifest.json']);
});

test('an archive without a manifest is renamed in "repositories"', async () => {
  const files = await retagged([
    [{ name: 'abc/json' }, '{}'],
    [{ name: 'repositories' }, '{"kaniko/x": {"1.0": "abc"}}'],
  ]);

  expect(JSON.parse(files.get('repositories') ?? '')).toEqual({
    [reference.split(':')[0] ?? '']: { latest: 'abc' },
  });
});

test('in an OCI layout the image has that name as well, and its attestation none', async () => {
  const attestation = {
    digest: 'sha256:b',
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  };
  const image = {
    digest: 'sha256:a',
    annotations: { 'io.containerd.image.name': 'docker.io/library/evil:1' },
  };
  const files = await retagged([
    [{ name: 'manifest.json' }, manifest()],
    [{ name: 'index.json' }, JSON.stringify({ schemaVersion: 2, manifests: [image, attestation] })],
  ]);

  expect(JSON.parse(files.get('index.json') ?? '')).toEqual({
    schemaVersion: 2,
    manifests: [
      {
        digest: 'sha256:a',
        annotations: {
          'io.containerd.image.name': `docker.io/library/${reference}`,
          'org.opencontainers.image.ref.name': 'latest',
        },
      },
      attestation,
    ],
  });
});

test('an OCI layout without a manifest gets one, whatever the order of its files', async () => {
  const digest = (content: string) => createHash('sha256').update(content).digest('hex');
  const image = JSON.stringify({
    config: { digest: `sha256:${digest('{}')}` },
    layers: [{ digest: `sha256:${digest('layer')}` }],
  });
  const index = { schemaVersion: 2, manifests: [{ digest: `sha256:${digest(image)}` }] };
  const layout: Files = [
    [{ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}'],
    [{ name: 'index.json' }, JSON.stringify(index)],
    ...[image, '{}', 'layer'].map((content): Files[0] => [
      { name: `./blobs/sha256/${digest(content)}` },
      content,
    ]),
  ];
  for (const files of [layout, layout.toReversed()]) {
    const said: string[] = [];
    const written = await retagged(files, said);

    expect(JSON.parse(written.get('manifest.json') ?? '')).toEqual([
      {
        Config: `blobs/sha256/${digest('{}')}`,
        RepoTags: [reference],
        Layers: [`blobs/sha256/${digest('layer')}`],
      },
    ]);
    expect(written.get(`blobs/sha256/${digest('layer')}`)).toBe('layer');
    expect(said).toEqual([expect.stringMatching(/is an OCI layout; a manifest\.json is added/)]);
  }
});

const good: Files = [[{ name: 'manifest.json' }, manifest()]];
test.each<[string, Files, RegExp]>([
  ['a path that leads out', [[{ name: '../../etc/cron.d/x' }, 'x'], ...good], /leads out of it/],
  ['a path that leads out and back', [[{ name: 'a/../b' }, 'x'], ...good], /leads out of it/],
  ['an absolute path', [[{ name: '/etc/passwd' }, 'x'], ...good], /leads out of it/],
  [
    'a link to an absolute path',
    [[{ name: 'l/layer.tar', type: 'symlink', linkname: '/etc/shadow' }], ...good],
    /leads out of it/,
  ],
  [
    'a link that leads out',
    [[{ name: 'l/layer.tar', type: 'symlink', linkname: '../../etc/shadow' }], ...good],
    /leads out of it/,
  ],
  [
    'a hard link that leads out',
    [[{ name: 'l', type: 'link', linkname: '/etc/shadow' }], ...good],
    /leads out/,
  ],
  [
    'a file below a link',
    [[{ name: 'l', type: 'symlink', linkname: 'm' }], [{ name: 'l/manifest.json' }, '[]'], ...good],
    /is below a link/,
  ],
  ['a device', [[{ name: 'd', type: 'character-device' }], ...good], /is a character-device/],
  ['two manifests', [...good, [{ name: './manifest.json' }, manifest('evil:1')]], /is not one file/],
  [
    'a manifest that is a link',
    [[{ name: 'manifest.json', type: 'symlink', linkname: 'x' }]],
    /is not one file/,
  ],
  ['a manifest that is no JSON', [[{ name: 'manifest.json' }, 'hello']], /not what docker save writes/],
  ['no image', [[{ name: 'manifest.json' }, '[]']], /must hold exactly one image, but has 0/],
  [
    'two images',
    [[{ name: 'manifest.json' }, '[{"Config": "a"}, {"Config": "b"}]']],
    /must hold exactly one image, but has 2/,
  ],
  ['two repositories', [[{ name: 'repositories' }, '{"a": {"x": "1"}, "b": {"x": "1"}}']], /has 2/],
  ['neither a manifest nor repositories', [[{ name: 'x' }, 'x']], /Unknown docker archive format/],
  [
    'more files than allowed',
    Array.from({ length: 21 }, (_, at) => [{ name: `f${at}` }, 'x']),
    /more than 20 files/,
  ],
  [
    'more bytes than allowed',
    [[{ name: 'zeros' }, '\0'.repeat(1_000_001)], ...good],
    /more than 1000000 bytes/,
  ],
])('an archive with %s is refused', async (_name, files, reason) => {
  await expect(retagged(files)).rejects.toThrow(reason);
});

test('what is no archive at all is refused', async () => {
  const text = (async function* () {
    yield Buffer.from('<html>'.repeat(1000));
  })();

  await expect(collect(retaggedArchive(text, target()))).rejects.toThrow();
});

test('an archive that ends too early is refused', async () => {
  const bytes = await archive([[{ name: 'l' }, 'x'.repeat(10_000)], ...good]);
  const half = (async function* () {
    yield bytes.subarray(0, 5_000);
  })();

  await expect(collect(retaggedArchive(half, target()))).rejects.toThrow(/Unexpected end/);
});

function target(said: string[] = []): ArchiveTarget {
  return { reference, platform, limits, say: (text) => void said.push(text) };
}

async function retagged(files: Files, said: string[] = []): Promise<Map<string, string>> {
  const bytes = await archive(files);
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += 10_007) {
      yield bytes.subarray(at, at + 10_007);
    }
  })();
  const extractor = extract();
  const written = new Map<string, string>();
  extractor.end(await collect(retaggedArchive(chunks, target(said))));
  for await (const entry of extractor) {
    const { name, linkname } = entry.header;
    const content = await buffer(entry as unknown as AsyncIterable<Buffer>);
    written.set(name.replace(/\/$/, ''), linkname ? `-> ${linkname}` : content.toString());
  }
  return written;
}

async function archive(files: Files): Promise<Buffer> {
  const packer = pack();
  const bytes = buffer(packer as unknown as AsyncIterable<Buffer>);
  for (const [header, content] of files) {
    packer.entry(header as Header, content ?? '');
  }
  packer.finalize();
  return await bytes;
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  return await buffer(chunks);
}
