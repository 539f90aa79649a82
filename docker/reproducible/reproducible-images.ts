import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { extract, type Pack, pack } from 'tar-stream';
import { z } from 'zod';
import { copyLayer } from './layer-archive.ts';
import { blobFile, type SavedFile } from './saved-file.ts';

const SavedManifest = z.array(
  z.looseObject({ Config: z.string(), RepoTags: z.array(z.string()), Layers: z.array(z.string()) }),
);
const ImageConfig = z.looseObject({
  config: z.looseObject({}),
  history: z.array(z.looseObject({})).default([]),
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
});

/** What `docker save` wrote: JSON documents by their names, and copies of the layers by theirs. */
interface Saved {
  documents: Map<string, string>;
  layers: Map<string, Layer>;
}

interface Layer {
  file: string;
  /** SHA-256, hexadecimal. */
  digest: string;
}

/**
 * Replaces images of this host by ones that depend on nothing but their content: the time of every file and of the image itself
 * is at most `epoch` (seconds since 1970), and nothing names the containers that the build went through. Two builds of the same
 * source have the same layers and the same id then.
 *
 * @param folder takes copies of the layers, each once however many of the images have it
 */
export async function makeReproducible(
  references: readonly string[],
  epoch: number,
  folder: string,
): Promise<void> {
  const { documents, layers } = await readSaved(references, epoch, folder);
  const images = SavedManifest.parse(JSON.parse(documents.get('manifest.json') ?? '')).map((image) => {
    const own = image.Layers.map((name) => {
      const layer = layers.get(name);
      if (layer === undefined) throw new Error(`docker save gave no layer ${name} of ${image.RepoTags}`);
      return layer;
    });
    const config = ImageConfig.parse(JSON.parse(documents.get(image.Config) ?? ''));
    return { tags: image.RepoTags, config: timeless(config, own, epoch), layers: own };
  });
  await load(images);
}

function timeless(config: z.infer<typeof ImageConfig>, layers: readonly Layer[], epoch: number): string {
  const created = new Date(epoch * 1000).toISOString();
  const { container: _, container_config: __, ...rest } = config;
  return JSON.stringify({
    ...rest,
    created,
    config: { ...config.config, Image: '', Hostname: '' },
    history: config.history.map((step) => ({ ...step, created })),
    rootfs: { ...config.rootfs, diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
  });
}

/** Reads `docker save` as it comes, copying layers on the way. */
async function readSaved(references: readonly string[], epoch: number, folder: string): Promise<Saved> {
  const save = spawn('docker', ['save', ...references], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = succeeded(save, 'docker save');
  const entries = extract();
  const read = pipeline(save.stdout as Readable, entries);
  const documents = new Map<string, string>();
  const layers = new Map<string, Layer>();
  const links = new Map<string, string>();
  for await (const entry of entries) {
    const { name, type, linkname } = entry.header;
    if (type === 'file') {
      const { kind, content } = await savedFile(name, entry as unknown as Readable);
      if (kind === 'layer') {
        const file = join(folder, `${layers.size}.tar`);
        layers.set(name, { file, digest: await copyLayer(content, file, epoch) });
      } else {
        documents.set(name, (await buffer(content)).toString('utf8'));
      }
    } else {
      // Equal layers are written once.
      if (type === 'symlink') links.set(name, join(name, '..', linkname ?? ''));
      entry.resume();
    }
  }
  await Promise.all([read, ended]);
  for (const [name, target] of links) {
    const layer = layers.get(target);
    if (layer !== undefined) layers.set(name, layer);
  }
  return { documents, layers };
}

async function savedFile(name: string, content: Readable): Promise<SavedFile> {
  if (name.startsWith('blobs/')) return await blobFile(content);
  return { kind: name.endsWith('/layer.tar') ? 'layer' : 'document', content };
}

async function load(images: readonly { tags: string[]; config: string; layers: Layer[] }[]): Promise<void> {
  const child = spawn('docker', ['load', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = succeeded(child, 'docker load');
  const archive = pack();
  const sent = pipeline(archive as unknown as Readable, child.stdin as Writable);
  const manifest: z.infer<typeof SavedManifest> = [];
  const written = new Set<string>();
  for (const { tags, config, layers } of images) {
    const name = `${createHash('sha256').update(config).digest('hex')}.json`;
    archive.entry({ name }, config);
    for (const { file, digest } of layers) {
      if (!written.has(digest)) await addFile(archive, `${digest}/layer.tar`, file);
      written.add(digest);
    }
    manifest.push({
      Config: name,
      RepoTags: tags,
      Layers: layers.map(({ digest }) => `${digest}/layer.tar`),
    });
  }
  archive.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  archive.finalize();
  await Promise.all([sent, ended]);
}

async function addFile(archive: Pack, name: string, file: string): Promise<void> {
  const { size } = await stat(file);
  await pipeline(createReadStream(file), archive.entry({ name, size }) as unknown as Writable);
}

async function succeeded(child: ChildProcess, command: string): Promise<void> {
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} failed with exit code ${code}`);
}
