import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { chosenImage, type Descriptor, OciLayout } from './oci-layout.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

test('an image is a configuration and its layers, by the names of their files', () => {
  const layout = new LayoutOfTest();
  const image = layout.image(['one', 'two']);

  expect(layout.imageOf(image.entry, amd64)).toEqual({
    config: image.config,
    layers: image.layers,
    hasZstd: false,
  });
});

test('of a list of images, as buildx writes it, it is the one for the platform', () => {
  const layout = new LayoutOfTest();
  const [intel, arm] = [layout.image(['for intel']), layout.image(['for arm'])];
  const attestation = layout.document({
    config: { digest: intel.entry.digest },
    layers: [],
  });
  const list = layout.document({
    manifests: [
      { ...intel.entry, platform: amd64 },
      { ...arm.entry, platform: arm64 },
      { ...attestation, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
    ],
  });

  expect(layout.imageOf(list, amd64).layers).toEqual(intel.layers);
  expect(layout.imageOf(list, arm64).layers).toEqual(arm.layers);
  expect(() => layout.imageOf(list, { os: 'linux', architecture: 's390x' })).toThrow(
    'its images are for linux/amd64, linux/arm64, and none for linux/s390x, which this engine runs',
  );
});

test('layers in zstd are seen', () => {
  const layout = new LayoutOfTest();
  const { entry } = layout.image(['one'], { layerType: 'application/vnd.oci.image.layer.v1.tar+zstd' });

  expect(layout.imageOf(entry, amd64).hasZstd).toBe(true);
});

test.each<[string, (layout: LayoutOfTest) => Descriptor, RegExp]>([
  [
    'an artifact that is no image',
    (layout) => layout.image([], { configType: 'application/vnd.cncf.helm.config.v1+json' }).entry,
    /no container image, but what is described by application\/vnd\.cncf\.helm/,
  ],
  [
    'encrypted layers',
    (layout) =>
      layout.image(['x'], { layerType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted' }).entry,
    /layers are encrypted/,
  ],
  [
    'a layer that is not in it',
    (layout) =>
      layout.document({ config: layout.file('c'), layers: [{ digest: `sha256:${'0'.repeat(64)}` }] }),
    /"sha256:0{64}", which its manifests name, is not in it/,
  ],
  [
    'a digest that leads elsewhere',
    () => ({ digest: 'sha256:../../../etc/passwd' }),
    /"sha256:\.\.\/\.\.\/\.\.\/etc\/passwd", which its manifests name, is not in it/,
  ],
  [
    'a manifest that is not what its name says',
    (layout) => {
      const digest = `sha256:${'1'.repeat(64)}`;
      layout.add(`blobs/sha256/${'1'.repeat(64)}`, Buffer.from('{"config":{},"layers":[]}'));
      return { digest };
    },
    /is not the document that its name is the digest of/,
  ],
  [
    'a manifest of something else',
    (layout) => layout.document({ fsLayers: [] }),
    /is no manifest of an image/,
  ],
  [
    'a list that leads to itself in more than two steps',
    (layout) => {
      const list = (entry: Descriptor) => layout.document({ manifests: [entry] });
      return list(list(list(layout.image([]).entry)));
    },
    /is no manifest of an image/,
  ],
])('a layout with %s is refused', (_, make, message) => {
  const layout = new LayoutOfTest();

  expect(() => layout.imageOf(make(layout), amd64)).toThrow(message);
});

test('one image under two names is one, and two without a platform are too many', () => {
  const [one, other] = [{ digest: 'sha256:1' }, { digest: 'sha256:2' }];

  expect(chosenImage([one, { ...one, annotations: { name: 'b' } }], amd64)).toMatchObject(one);
  expect(() => chosenImage([one, other], amd64)).toThrow('must hold exactly one image, but has 2');
  expect(() => chosenImage([], amd64)).toThrow('must hold exactly one image, but has 0');
});

test('two images for one platform are too many, but variants of an architecture are not', () => {
  const of = (digest: string, variant?: string) => ({ digest, platform: { ...amd64, variant } });

  expect(() => chosenImage([of('sha256:1'), of('sha256:2')], amd64)).toThrow('but has 2');
  expect(chosenImage([of('sha256:1'), of('sha256:2', 'v3')], amd64).digest).toBe('sha256:1');
});

test('no more of a layout is kept than its documents may be', () => {
  const large = { name: 'blobs/sha256/a', size: 1024 * 1024 + 1 };
  expect(OciLayout.mayBeDocument(large)).toBe(false);
  expect(OciLayout.mayBeDocument({ ...large, size: 1024 })).toBe(true);
  expect(OciLayout.mayBeDocument({ name: 'layer/layer.tar', size: 1024 })).toBe(false);
});

class LayoutOfTest extends OciLayout {
  file(content: string): Descriptor {
    const hex = createHash('sha256').update(content).digest('hex');
    this.add(`blobs/sha256/${hex}`, Buffer.from(content));
    return { digest: `sha256:${hex}` };
  }

  document(content: object): Descriptor {
    return this.file(JSON.stringify(content));
  }

  image(layers: string[], { layerType, configType }: { layerType?: string; configType?: string } = {}) {
    const config = this.document({ layersOfTest: layers });
    const files = layers.map((content) => this.file(content));
    const entry = this.document({
      config: { mediaType: configType ?? 'application/vnd.oci.image.config.v1+json', ...config },
      layers: files.map((layer) => ({ mediaType: layerType, ...layer })),
    });
    return { entry, config: path(config), layers: files.map(path) };
  }
}

function path({ digest }: Descriptor): string {
  return `blobs/${digest.replace(':', '/')}`;
}
