import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { digest } from './tiny-image.ts';

/** The image of an archive by `docker save` as podman, buildah and buildx write it: an OCI layout without `manifest.json`. */
export async function ociLayout(saved: Buffer): Promise<Buffer> {
  const files = await filesOf(saved);
  const [image] = JSON.parse(files.get('manifest.json')?.toString() ?? '[]');
  const config = files.get(image.Config) ?? Buffer.alloc(0);
  const layers = image.Layers.map((name: string) => gzipSync(files.get(name) ?? ''));
  const describe = (type: string, bytes: Buffer) => ({
    mediaType: `application/vnd.oci.image.${type}`,
    digest: digest(bytes),
    size: bytes.length,
  });
  const manifest = json({
    schemaVersion: 2,
    config: describe('config.v1+json', config),
    layers: layers.map((layer: Buffer) => describe('layer.v1.tar+gzip', layer)),
  });
  const index = json({ schemaVersion: 2, manifests: [describe('manifest.v1+json', manifest)] });
  const output = pack();
  for (const blob of [...layers, config, manifest]) {
    output.entry({ name: `blobs/${digest(blob).replace(':', '/')}` }, blob);
  }
  output.entry({ name: 'index.json' }, index);
  output.entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}');
  output.finalize();
  return await buffer(output as unknown as AsyncIterable<Buffer>);
}

async function filesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const input = extract();
  input.end(archive);
  for await (const entry of input) {
    const content = await buffer(entry as unknown as AsyncIterable<Buffer>);
    files.set(entry.header.name.replace(/^\.\//, ''), content);
  }
  return files;
}

function json(content: object): Buffer {
  return Buffer.from(JSON.stringify(content));
}
