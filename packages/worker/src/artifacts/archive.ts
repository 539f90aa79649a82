import { dirname, resolve } from 'node:path/posix';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { unlessAborted } from '../async/unless-aborted.ts';
import { errorText } from './error-text.ts';

/** Where artifacts come from: a container that has exited and still exists. */
export interface ArchiveSource {
  /** The engine's tar stream of a path; rejects when there is nothing at that path. */
  archive(path: string): Promise<Readable>;
}

/** What the archive says about one path, and its bytes. */
export interface Entry extends AsyncIterable<Buffer> {
  header: Header;
  /** Drops the bytes. */
  resume(): unknown;
}

/** One path of a container while it is read: the entry of the path itself, then what is below it. */
export interface Archive extends AsyncDisposable {
  root: Entry;
  /** Each entry has to be read or resumed before the next one comes. */
  below: AsyncIterable<Entry>;
}

/** Nothing is at the path, or the engine would not give it. */
export class NotInContainer extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotInContainer';
  }
}

export async function openArchive(
  container: ArchiveSource,
  path: string,
  signal: AbortSignal,
): Promise<Archive> {
  const stream = await openStream(container, path, signal);
  // Its entries are byte streams; the library declares them as streams of anything.
  const extractor = extract() as unknown as Writable & AsyncIterable<Entry, void>;
  const entries = extractor[Symbol.asyncIterator]();
  // An error of the stream reaches the reader of the entries, who is the one to report it.
  const transferred = pipeline(stream, extractor, { signal }).catch(() => undefined);
  async function close(): Promise<void> {
    extractor.destroy();
    stream.destroy();
    await transferred;
  }
  try {
    const first = await entries.next();
    if (first.done) {
      throw new NotInContainer('its archive is empty');
    }
    const below = { [Symbol.asyncIterator]: () => entries };
    return { root: first.value, below, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of a path and of the links that it leads over. */
const mostLinks = 40;

/** Like {@link openArchive}; a symbolic link at the path is followed, within the container. */
export async function openFollowed(
  container: ArchiveSource,
  path: string,
  signal: AbortSignal,
): Promise<Archive & { path: string }> {
  let at = path;
  for (let made = 0; made < mostLinks; made += 1) {
    const archive = await openArchive(container, at, signal);
    const { type, linkname } = archive.root.header;
    if (type !== 'symlink') {
      return { ...archive, path: at };
    }
    await archive[Symbol.asyncDispose]();
    at = resolve('/', dirname(at), linkname ?? '');
  }
  throw new NotInContainer('its symbolic links lead in a circle');
}

async function openStream(container: ArchiveSource, path: string, signal: AbortSignal): Promise<Readable> {
  signal.throwIfAborted();
  const opening = container.archive(path);
  try {
    return await unlessAborted(signal, opening);
  } catch (error) {
    opening.then(
      (late) => late.destroy(),
      () => undefined,
    );
    signal.throwIfAborted();
    // What the engine has answered is about the path; where it has not, nothing is known of that.
    const isAnswer = (error as { statusCode?: unknown }).statusCode !== undefined;
    throw isAnswer ? new NotInContainer(engineMessage(error)) : error;
  }
}

/** What the engine itself says, without what its client library puts around it. */
function engineMessage(error: unknown): string {
  return errorText(error)
    .replace(/^\(HTTP code \d+\) .*? - /, '')
    .trim();
}

/**
 * The entry's path below the archive's root entry, without a `/` at either end. Throws when it would lie
 * outside of it: then somebody made the archive by hand.
 */
export function pathBelow(rootName: string, entryName: string): string {
  const prefix = rootName.endsWith('/') ? rootName : `${rootName}/`;
  const below = entryName.startsWith(prefix) ? entryName.slice(prefix.length).replace(/\/$/, '') : '';
  const segments = below.split('/');
  if (segments.includes('') || segments.includes('..') || segments.includes('.')) {
    throw new Error(`the archive has an entry outside of the directory: ${JSON.stringify(entryName)}`);
  }
  return below;
}
