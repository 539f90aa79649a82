import { join } from 'node:path';

/** Where the artifacts of each task go: below one folder. */
export class ArtifactFolders {
  readonly #folder: string;
  readonly #taken = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Of one task right into the folder, of several into one below it each, called as the task as far as a folder can be.
   *
   * @param isOneOfSeveral also for the tasks that a single one creates
   */
  of(name: string, isOneOfSeveral: boolean): string {
    if (!isOneOfSeveral) {
      // Most artifacts of the task itself lie there.
      this.#taken.add('public');
      return this.#folder;
    }
    const plain = name.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '') || 'task';
    let own = plain;
    // Names that differ in case only are one on some file systems.
    for (let count = 2; this.#taken.has(own.toLowerCase()); count++) {
      own = `${plain}-${count}`;
    }
    this.#taken.add(own.toLowerCase());
    return join(this.#folder, own);
  }
}
