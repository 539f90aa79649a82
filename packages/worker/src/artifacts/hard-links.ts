import type { Header } from 'tar-stream';
import { type Archive, type Entry, pathBelow } from './archive.ts';

/**
 * What a directory's archive has beside files. The second name of a file, or of anything else, comes as a link to the
 * first one.
 */
export class HardLinks {
  /** What is no file, and is not uploaded. */
  readonly skipped = { symbolicLinks: 0, specialFiles: 0 };
  readonly #kinds = new Map<string, 'symbolicLinks' | 'specialFiles'>();
  /** By the first name: the others. */
  readonly #names = new Map<string, string[]>();

  note(below: string, { type, linkname }: Header, rootName: string): void {
    if (type === 'directory') {
      return;
    }
    const first = type === 'link' ? pathBelow(rootName, linkname ?? '') : undefined;
    const kind =
      first === undefined ? (type === 'symlink' ? 'symbolicLinks' : 'specialFiles') : this.#kinds.get(first);
    if (kind !== undefined) {
      this.skipped[kind] += 1;
      this.#kinds.set(below, kind);
    } else if (first !== undefined) {
      this.#names.set(first, [...(this.#names.get(first) ?? []), below]);
    }
  }

  /** Reads the archive once more, as far as is needed, and hands each file over with its further names. */
  async upload(
    openAgain: () => Promise<Archive>,
    upload: (names: readonly string[], entry: Entry) => Promise<void>,
  ): Promise<void> {
    if (this.#names.size === 0) {
      return;
    }
    await using archive = await openAgain();
    archive.root.resume();
    for await (const entry of archive.below) {
      const below = pathBelow(archive.root.header.name, entry.header.name);
      const names = this.#names.get(below);
      if (names === undefined) {
        entry.resume();
        continue;
      }
      this.#names.delete(below);
      await upload(names, entry);
      if (this.#names.size === 0) {
        return;
      }
    }
  }
}
