import { isArtifactName } from '../payload/name-problems.ts';
import {
  type Archive,
  type ArchiveSource,
  type Entry,
  NotInContainer,
  openArchive,
  openFollowed,
  pathBelow,
} from './archive.ts';
import type { ArtifactDestination } from './destination.ts';
import type { FileUploads } from './file-uploads.ts';
import { Links } from './links.ts';

export interface DirectoryArtifact {
  name: string;
  /** The directory inside the container. */
  path: string;
  /** RFC 3339. */
  expires: string;
}

const unnamable =
  'Names of artifacts have printable ASCII characters only, and at most 1024; rename the file.';

/**
 * Uploads every file below the archive's root while the archive is still being read. Links come without content, and are
 * uploaded after all others; a symbolic link is a file if it leads to one, anywhere in the container.
 *
 * @returns files whose names no artifact can have
 */
export async function uploadDirectory(
  { name, path, expires }: DirectoryArtifact,
  archive: Archive,
  container: ArchiveSource,
  { log, signal }: ArtifactDestination,
  files: FileUploads,
): Promise<string[]> {
  const directoryName = name.replace(/\/+$/, '');
  const pending = new Set<Promise<void>>();
  const links = new Links(path);
  const unnamed: string[] = [];
  let outage = false;

  async function upload(paths: readonly string[], entry: Entry): Promise<void> {
    const names = paths
      .map((below) => `${directoryName}/${below}`)
      .filter((file) => {
        if (!isArtifactName(file)) {
          const readable = JSON.stringify(file).slice(1, -1);
          unnamed.push(readable);
          log.error(`Error uploading "${readable}" artifact. ${unnamable}`);
          return false;
        }
        const why = files.taken(file, name);
        if (why !== undefined) {
          log.worker(`Artifact "${name}": skipped "${file}": ${why}`);
        }
        return why === undefined;
      });
    if (names.length === 0) {
      entry.resume();
      return;
    }
    const { uploaded } = await files.start(names, expires, entry);
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
        await upload([below], entry);
      } else {
        entry.resume();
        links.note(below, entry.header, archive.root.header.name);
      }
      if (outage) {
        throw new Error('The files that were left in the directory are not tried.');
      }
    }
    const { leaving, dangling } = await links.upload(() => openArchive(container, path, signal), upload);
    for (const [below, target] of leaving) {
      if (!(await uploadTarget(below, target))) {
        dangling.push(below);
      }
    }
    const skipped = { symbolicLinks: dangling.length, specialFiles: links.specialFiles };
    const left = skippedText(skipped);
    if (left !== '') {
      log.worker(`Artifact "${name}": skipped ${left} in "${path}"`);
    }
    return unnamed;
  } finally {
    await Promise.all(pending);
  }

  /** False when there is no file. */
  async function uploadTarget(below: string, target: string): Promise<boolean> {
    try {
      await using found = await openFollowed(container, target, signal);
      const { type } = found.root.header;
      if (type !== 'file' && type !== 'contiguous-file') {
        return false;
      }
      await upload([below], found.root);
      return true;
    } catch (error) {
      if (error instanceof NotInContainer) {
        return false;
      }
      throw error;
    }
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
