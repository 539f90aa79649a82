import { join } from 'node:path/posix';
import { type Archive, type ArchiveSource, type Entry, openArchive, pathBelow } from './archive.ts';
import type { ArtifactDestination } from './destination.ts';
import type { FileUploads } from './file-uploads.ts';

export interface DirectoryArtifact {
  name: string;
  /** The directory inside the container. */
  path: string;
  /** RFC 3339. */
  expires: string;
}

/**
 * Uploads every file below the archive's root while the archive is still being read. Symbolic links are left
 * out: their targets may lie anywhere. Hard links come without content, so each is fetched by itself.
 */
export async function uploadDirectory(
  { name, path, expires }: DirectoryArtifact,
  archive: Archive,
  container: ArchiveSource,
  { log, signal }: ArtifactDestination,
  files: FileUploads,
): Promise<void> {
  const directoryName = name.replace(/\/+$/, '');
  const pending = new Set<Promise<void>>();
  const skipped = { symbolicLinks: 0, specialFiles: 0 };
  const hardLinks: string[] = [];
  let outage = false;

  async function upload(below: string, entry: Entry): Promise<void> {
    const { uploaded } = await files.start(`${directoryName}/${below}`, expires, entry);
    const finished = uploaded.then((outcome) => {
      outage ||= outcome === 'outage';
      pending.delete(finished);
    });
    pending.add(finished);
  }

  try {
    archive.root.resume();
    for await (const entry of archive.below) {
      const below = pathBelow(archive.root.header.name, entry.header.name);
      const kind = entry.header.type;
      if (kind === 'file' || kind === 'contiguous-file') {
        await upload(below, entry);
      } else {
        entry.resume();
        if (kind === 'link') {
          hardLinks.push(below);
        } else if (kind === 'symlink') {
          skipped.symbolicLinks += 1;
        } else if (kind !== 'directory') {
          skipped.specialFiles += 1;
        }
      }
      if (outage) {
        throw new Error('The files that were left in the directory are not tried.');
      }
    }
    for (const below of hardLinks) {
      await using linked = await openArchive(container, join(path, below), signal);
      await upload(below, linked.root);
    }
  } finally {
    await Promise.all(pending);
  }

  const left = skippedText(skipped);
  if (left !== '') {
    log.worker(`Artifact "${name}": skipped ${left} in "${path}"`);
  }
}

function skippedText(skipped: { symbolicLinks: number; specialFiles: number }): string {
  return [counted(skipped.symbolicLinks, 'symbolic link'), counted(skipped.specialFiles, 'special file')]
    .filter((text) => text !== '')
    .join(' and ');
}

function counted(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;
}
