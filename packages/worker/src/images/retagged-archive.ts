import { posix } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack } from 'tar-stream';
import {
  InvalidArchive,
  retaggedIndex,
  retaggedManifest,
  retaggedRepositories,
} from './archive-documents.ts';

export interface ArchiveLimits {
  /** Of the unpacked archive. */
  maxArchiveBytes: number;
  maxArchiveEntries: number;
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
 * An archive as `docker save` writes it, on its way to `docker load`, with the only name that its image may
 * get. Whatever could overwrite other images or files, or has no end, makes reading it fail.
 *
 * @param reference of the form `<repository>:latest`
 * @throws InvalidArchive
 */
export async function* retaggedArchive(
  bytes: AsyncIterable<Buffer>,
  reference: string,
  limits: ArchiveLimits,
): AsyncGenerator<Buffer> {
  // Its entries are byte streams; the library declares them as streams of anything.
  const input = extract() as unknown as Writable & AsyncIterable<Entry, void>;
  const output = pack();
  const fed = pipeline(limited(bytes, limits.maxArchiveBytes), input);
  const copied = copyEntries(input, output, reference, limits.maxArchiveEntries);
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
  reference: string,
  maxEntries: number,
): Promise<void> {
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
    } else {
      await pipeline(entry, output.entry(header) as unknown as Writable);
    }
  }
  // Last, because it depends on the others which of them count; the engine looks at them when it has all.
  for (const [name, text] of retaggedDocuments(held, reference)) {
    output.entry({ name, mode: 0o644 }, text);
  }
  output.finalize();
}

function retaggedDocuments(held: Map<DocumentName, Buffer>, reference: string): [string, string][] {
  const manifest = held.get('manifest.json');
  const repositories = held.get('repositories');
  const index = held.get('index.json');
  if (manifest === undefined && repositories === undefined && index === undefined) {
    throw new InvalidArchive('Unknown docker archive format: it has no manifest.json');
  }
  return [
    ...(manifest === undefined ? [] : [['manifest.json', retaggedManifest(manifest, reference)] as const]),
    ...(index === undefined ? [] : [['index.json', retaggedIndex(index, reference)] as const]),
    // Of an older format, and beside a manifest only a copy of what that says.
    ...(repositories === undefined || manifest !== undefined
      ? []
      : [['repositories', retaggedRepositories(repositories, reference)] as const]),
  ].map(([name, text]) => [name, text]);
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
