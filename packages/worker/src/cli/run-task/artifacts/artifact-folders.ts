import { join } from 'node:path';

/**
 * Where the artifacts of each task go: of one task right into the folder, of several into one below it each, called as the
 * task as far as a folder can be.
 *
 * @param names of the tasks, in their order
 */
export function artifactFolders(folder: string, names: string[]): string[] {
  if (names.length <= 1) {
    return names.map(() => folder);
  }
  const taken = new Set<string>();
  return names.map((name) => {
    const plain = name.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '') || 'task';
    let own = plain;
    // Names that differ in case only are one on some file systems.
    for (let count = 2; taken.has(own.toLowerCase()); count++) {
      own = `${plain}-${count}`;
    }
    taken.add(own.toLowerCase());
    return join(folder, own);
  });
}
