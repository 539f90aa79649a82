import { dirname, relative, resolve } from 'node:path/posix';
import type { Header } from 'tar-stream';
import { type Archive, type Entry, pathBelow } from './archive.ts';

/** Longer chains of symbolic links are circles; as Linux has it. */
const longestChain = 40;

/**
 * What a directory's archive has beside files. The second name of a file, or of anything else, comes as a link to the
 * first one; a symbolic link comes with the path that it leads to.
 */
export class Links {
  /** What is no file: devices, pipes, sockets. */
  specialFiles = 0;
  /** The directory in the container. */
  readonly #directory: string;
  readonly #special = new Set<string>();
  /** The targets of symbolic links, as paths in the container, by where they are below the directory. */
  readonly #symbolic = new Map<string, string>();
  /** By the first name of a file: its others. */
  readonly #names = new Map<string, string[]>();

  constructor(directory: string) {
    this.#directory = resolve('/', directory);
  }

  note(below: string, { type, linkname }: Header, rootName: string): void {
    if (type === 'directory') {
      return;
    }
    if (type === 'symlink') {
      this.#symbolic.set(below, resolve(this.#directory, dirname(below), linkname ?? ''));
      return;
    }
    const first = type === 'link' ? pathBelow(rootName, linkname ?? '') : undefined;
    const target = first === undefined ? undefined : this.#symbolic.get(first);
    if (target !== undefined) {
      this.#symbolic.set(below, target);
    } else if (first === undefined || this.#special.has(first)) {
      this.specialFiles += 1;
      this.#special.add(below);
    } else {
      this.#add(first, below);
    }
  }

  /**
   * Reads the archive once more, as far as is needed, and hands each file over with its further names.
   *
   * @returns symbolic links that lead out of the directory, as path below it and target; and those that lead to no file
   */
  async upload(
    openAgain: () => Promise<Archive>,
    upload: (names: readonly string[], entry: Entry) => Promise<void>,
  ): Promise<{ leaving: [below: string, target: string][]; dangling: string[] }> {
    const leaving: [string, string][] = [];
    const symbolic = new Set<string>();
    for (const below of this.#symbolic.keys()) {
      const target = this.#followed(below);
      const inside = relative(this.#directory, target);
      if (inside === '' || inside.startsWith('../') || inside === '..') {
        leaving.push([below, target]);
      } else {
        symbolic.add(below);
        this.#add(inside, below);
      }
    }
    if (this.#names.size > 0) {
      await this.#readAgain(openAgain, upload);
    }
    const left = [...this.#names.values()].flat();
    return { leaving, dangling: left.filter((below) => symbolic.has(below)) };
  }

  async #readAgain(
    openAgain: () => Promise<Archive>,
    upload: (names: readonly string[], entry: Entry) => Promise<void>,
  ): Promise<void> {
    await using archive = await openAgain();
    archive.root.resume();
    for await (const entry of archive.below) {
      const below = pathBelow(archive.root.header.name, entry.header.name);
      const names = this.#names.get(below);
      const { type } = entry.header;
      if (names === undefined || (type !== 'file' && type !== 'contiguous-file')) {
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

  #add(first: string, below: string): void {
    this.#names.set(first, [...(this.#names.get(first) ?? []), below]);
  }

  /** The end of a chain of links within the directory, or a link of a circle. */
  #followed(below: string): string {
    let target = this.#symbolic.get(below) ?? '';
    for (let made = 1; made < longestChain; made += 1) {
      const next = this.#symbolic.get(relative(this.#directory, target));
      if (next === undefined) {
        break;
      }
      target = next;
    }
    return target;
  }
}
