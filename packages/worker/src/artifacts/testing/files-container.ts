import { basename } from 'node:path/posix';
import { type Header, type Pack, pack } from 'tar-stream';
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
      const tar = pack();
      const root = basename(path);
      if (typeof content === 'string' || Buffer.isBuffer(content)) {
        tar.entry({ name: root }, content);
      } else if (typeof content.symlink === 'string') {
        tar.entry({ name: root, type: 'symlink', linkname: content.symlink });
      } else {
        addDirectory(tar, root, content as Files);
      }
      tar.finalize();
      return asReadable(tar);
    },
  };
}

function addDirectory(tar: Pack, root: string, files: Files): void {
  tar.entry({ name: `${root}/`, type: 'directory' });
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string' || Buffer.isBuffer(content)) {
      tar.entry({ name: `${root}/${name}` }, content);
    } else {
      tar.entry({ name: `${root}/${name}`, ...content });
    }
  }
}

/** The library's streams are declared apart from Node's. */
export function asReadable(tar: Pack): Awaited<ReturnType<ArchiveSource['archive']>> {
  return tar as unknown as Awaited<ReturnType<ArchiveSource['archive']>>;
}

/** The error of the engine's client, in its form. */
export function notFound(path: string): Error {
  const message = `Could not find the file ${path} in container 0a1b2c`;
  return Object.assign(new Error(`(HTTP code 404) no such container - ${message} `), {
    statusCode: 404,
    reason: 'no such container',
    json: { message },
  });
}
