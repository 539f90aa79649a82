import { basename } from 'node:path/posix';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import type { ArchiveSource } from '../archive.ts';

/** Entries below a directory: text, bytes, or a header for anything that is no file. */
export type Files = Record<string, string | Buffer | Partial<Header>>;

/**
 * Answers like the engine for a container with these paths: a string or buffer is a file, anything else what
 * a directory contains. Other paths are missing.
 */
export function filesContainer(
  paths: Record<string, string | Buffer | Files | { symlink: string }>,
): ArchiveSource {
  return {
    async archive(path) {
      const content = paths[path];
      if (content === undefined) {
        throw notFound(path);
      }
      const root = basename(path);
      if (typeof content === 'string' || Buffer.isBuffer(content)) {
        return Readable.from(chunks(await tarOf({ [root]: content })));
      }
      if (typeof content.symlink === 'string') {
        return Readable.from(chunks(await tarOf({ [root]: { type: 'symlink', linkname: content.symlink } })));
      }
      return Readable.from(chunks(await directoryTar(root, content as Files)));
    },
  };
}

/** A directory as the engine archives it. */
export async function directoryTar(root: string, files: Files): Promise<Buffer> {
  const below = Object.entries(files).map(([name, content]) => [`${root}/${name}`, content]);
  return await tarOf({ [`${root}/`]: { type: 'directory' }, ...Object.fromEntries(below) });
}

async function tarOf(files: Files): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string' || Buffer.isBuffer(content)) {
      tar.entry({ name }, content);
    } else {
      tar.entry({ name, ...content });
    }
  }
  tar.finalize();
  // The library declares its streams apart from Node's.
  return await buffer(tar as unknown as Readable);
}

function* chunks(bytes: Buffer): Iterable<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) {
    yield bytes.subarray(start, start + 65_536);
  }
}

/** The error of the engine's client, in its form. */
function notFound(path: string): Error {
  const message = `Could not find the file ${path} in container 0a1b2c`;
  return Object.assign(new Error(`(HTTP code 404) no such container - ${message} `), {
    statusCode: 404,
    reason: 'no such container',
    json: null,
  });
}
