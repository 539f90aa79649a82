import type Docker from 'dockerode';
import { NotInContainer, openArchive } from '../../artifacts/archive.ts';
import { containerArchive } from '../../containers/container-archive.ts';
import { removeContainer } from '../../containers/remove-container.ts';
import { type Owner, ownershipLabels } from '../../ownership/labels.ts';

/** Whose a folder of an image is, and who may use it. */
export interface ImageFolder {
  uid: number;
  gid: number;
  /** Permission bits. */
  mode: number;
}

/** What an image has at some paths, by path; a path that is no folder there is left out. */
export async function imageFolders(
  docker: Docker,
  { image, paths, owner, signal }: { image: string; paths: string[]; owner: Owner; signal: AbortSignal },
): Promise<Map<string, ImageFolder>> {
  // Only a container has files that can be asked for; it is never started.
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['none'],
    Labels: ownershipLabels(owner, 'probe'),
  });
  try {
    const source = { archive: (path: string) => containerArchive(container, path) };
    const folders = new Map<string, ImageFolder>();
    for (const path of paths) {
      try {
        await using archive = await openArchive(source, path, signal);
        const { type, uid = 0, gid = 0, mode = 0o755 } = archive.root.header;
        if (type === 'directory') {
          folders.set(path, { uid, gid, mode: mode & 0o7777 });
        }
      } catch (error) {
        if (!(error instanceof NotInContainer)) {
          throw error;
        }
      }
    }
    return folders;
  } finally {
    await removeContainer(docker, container.id);
  }
}
