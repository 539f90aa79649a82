import { posix } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack } from 'tar-stream';
import {
  manifestOfLayout,
  retaggedIndex,
  retaggedManifest,
  retaggedRepositories,
} from './archive-documents.ts';
import { InvalidArchive } from './invalid-archive.ts';
import { OciLayout, type Platform } from './oci-layout.ts';

export interface ArchiveLimits {
  /** Of the unpacked archive. */
  maxArchiveBytes: number;
  maxArchiveEntries: number;
}

export interface ArchiveTarget {
  /** What the image is to be called, of the form `<repository>:latest`. */
  reference: string;
  /** Of the engine. */
  platform: Platform;
  limits: ArchiveLimits;
  /** Is told what a person should know of the archive. */
  say(text: string): void;
}

interface Entry extends AsyncIterable<Buffer> {
  header: Header;
  resume(): unknown;
}

/** Documents of an archive are held in memory; no honest one is larger. */
const largestDocument = 4 * 1024 * 1024;

const documents = ['manifest.json', 'repositories', 'index.json'] as const;
type DocumentName = (typeof documents)[number];

/**
 * An archive as `docker save` writes it or of an OCI layout, on its way to `docker load`, with the only name
 * that its image may get, and in a form that every engine knows. Whatever could overwrite other images or
 * files, or has no end, makes reading it fail.
 *
 * @throws InvalidArchive
 */
export async function* retaggedArchive(
  bytes: AsyncIterable<Buffer>,
  target: ArchiveTarget,
): AsyncGenerator<Buffer> {
  // Its entries are byte streams; the library declares them as streams of anything.
  const input = extract() as unknown as Writable & AsyncIterable<Entry, void>;
  const output = pack();
  const fed = pipeline(limited(bytes, target.limits.maxArchiveBytes), input);
  const copied = copyEntries(input, output, target);
  copied.catch((error: Error) => output.destroy(error));
  try {
    yield* output as unknown as AsyncIterable<Buffer>;
    await copied;
    await fed;
  } finally {
    input.destroy();
    output.destroy();
    await Promise.allSettled([fed]);
  }
}

async function copyEntries(
  entries: AsyncIterable<Entry>,
  output: ReturnType<typeof pack>,
  target: ArchiveTarget,
): Promise<void> {
  const { maxArchiveEntries: maxEntries } = target.limits;
  const layout = new OciLayout();
  const held = new Map<DocumentName, Buffer>();
  const links = new Set<string>();
  let count = 0;
  for await (const entry of entries) {
    count += 1;
    if (count > maxEntries) {
      throw new InvalidArchive(`it has more than ${maxEntries} files`);
    }
    const header = safeHeader(entry.header, links);
    const document = documents.find((name) => name === header.name);
    if (document !== undefined) {
      if (header.type !== 'file' || held.has(document)) {
        throw new InvalidArchive(`its ${document} is not one file`);
      }
      held.set(document, await contentOf(entry, document));
    } else if (header.name === '.') {
      entry.resume();
    } else if (header.type === 'file' && OciLayout.mayBeDocument(header)) {
      const content = await contentOf(entry, header.name);
      layout.add(header.name, content);
      await pipeline([content], output.entry(header) as unknown as Writable);
    } else {
      layout.add(header.name);
      await pipeline(entry, output.entry(header) as unknown as Writable);
    }
  }
  // Last, because it depends on the others which of them count; the engine looks at them when it has all.
  for (const [name, text] of retaggedDocuments(held, layout, target)) {
    output.entry({ name, mode: 0o644 }, text);
  }
  output.finalize();
}

function retaggedDocuments(
  held: Map<DocumentName, Buffer>,
  layout: OciLayout,
  target: ArchiveTarget,
): [string, string][] {
  const { reference, platform } = target;
  const index = held.get('index.json');
  const repositories = held.get('repositories');
  let manifest = held.get('manifest.json');
  if (manifest === undefined && index !== undefined) {
    manifest = addedManifest(index, layout, target);
  }
  const documents: [string, string][] = [];
  if (manifest !== undefined) {
    documents.push(['manifest.json', retaggedManifest(manifest, reference)]);
  }
  if (index !== undefined) {
    documents.push(['index.json', retaggedIndex(index, reference, platform)]);
  }
  // Of an older format, and beside a manifest only a copy of what that says.
  if (repositories !== undefined && manifest === undefined) {
    documents.push(['repositories', retaggedRepositories(repositories, reference)]);
  }
  if (documents.length === 0) {
    throw new InvalidArchive(
      'Unknown docker archive format: it has neither manifest.json nor index.json, which `docker save` and OCI layouts have at their top (`docker export` has not)',
    );
  }
  return documents;
}

function addedManifest(index: Buffer, layout: OciLayout, { platform, say }: ArchiveTarget): Buffer {
  const { manifest, hasZstd } = manifestOfLayout(index, layout, platform);
  say(
    'The image archive is an OCI layout; a manifest.json is added, without which most engines do not load it.',
  );
  if (hasZstd) {
    say(
      'The image has layers in zstd, which engines before 23.0 do not load; layers in gzip load everywhere.',
    );
  }
  return manifest;
}

/** The header with its name in normal form; throws when it leads, or could lead, out of the archive. */
function safeHeader(header: Header, links: Set<string>): Header {
  const name = inside(header.name);
  for (let parent = posix.dirname(name); parent !== '.'; parent = posix.dirname(parent)) {
    if (links.has(parent)) {
      throw new InvalidArchive(`${JSON.stringify(header.name)} is below a link`);
    }
  }
  switch (header.type) {
    case 'file':
    case 'directory':
      return { ...header, name };
    case 'symlink':
      inside(header.linkname ?? '/', posix.dirname(name));
      links.add(name);
      return { ...header, name };
    case 'link':
      return { ...header, name, linkname: inside(header.linkname ?? '/') };
    default:
      throw new InvalidArchive(`${JSON.stringify(header.name)} is a ${header.type}`);
  }
}

function inside(path: string, folder = '.'): string {
  const normal = posix.join(folder, path).replace(/(?<=.)\/+$/, '');
  const leaves = path.startsWith('/') || normal === '..' || normal.startsWith('../');
  // Even one that comes back: no honest archive has it.
  const wanders = folder === '.' && path.split('/').includes('..');
  if (leaves || wanders || path.includes('\0')) {
    throw new InvalidArchive(`${JSON.stringify(path)} leads out of it`);
  }
  return normal;
}

async function contentOf(entry: Entry, name: string): Promise<Buffer> {
  if ((entry.header.size ?? 0) > largestDocument) {
    throw new InvalidArchive(`its ${name} is larger than ${largestDocument} bytes`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of entry) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* limited(bytes: AsyncIterable<Buffer>, most: number): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.length;
    if (count > most) {
      throw new InvalidArchive(`it has more than ${most} bytes when it is unpacked`);
    }
    yield chunk;
  }
}
