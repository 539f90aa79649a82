import type Docker from 'dockerode';
import type { Logger } from 'pino';
import { engineMessage, engineStatus } from '../engine/engine.ts';
import type { KeptThing } from '../run/kept-thing.ts';
import { engineImages } from './engine-images.ts';
import { type ImageRecord, ImageRecords } from './image-records.ts';

export interface ImageStoreOptions {
  docker: Docker;
  /** Where it keeps what it must know after a restart. */
  folder: string;
  /** How long an image stays that no task uses. */
  expirationMs: number;
  logger: Logger;
  onRemoved?(): void;
}

/**
 * The images that tasks made this host fetch, which go when nobody has used them for long or when their room
 * is needed. Images that were here otherwise, those of sidecars included, are never touched.
 */
export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #records: ImageRecords;
  /** How many runs use an image, by its name, of those that any run uses. */
  readonly #held = new Map<string, number>();
  #collecting: Promise<void> = Promise.resolve();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.#records = new ImageRecords(options.folder);
  }

  /** Keeps an image, which need not be here yet, until the result is disposed of. */
  hold(name: string): AsyncDisposable {
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
    return {
      [Symbol.asyncDispose]: async () => {
        await this.#kept(this.#records.touch(name));
        const left = (this.#held.get(name) ?? 1) - 1;
        if (left > 0) {
          this.#held.set(name, left);
        } else {
          this.#held.delete(name);
        }
      },
    };
  }

  /** A task has made this host fetch the image. Holds and records go by the first name. */
  async fetched(names: string[]): Promise<void> {
    await this.#kept(this.#records.write(names));
  }

  /** A record that cannot be kept costs disk space, not tasks. */
  async #kept(record: Promise<void>): Promise<void> {
    await record.catch((error: Error) => {
      this.#options.logger.error(
        { err: error },
        '[alert-operator] the use of an image could not be recorded',
      );
    });
  }

  /** All that the engine has, those included that are not ours to remove. */
  async kept(): Promise<KeptThing[]> {
    const records = await this.#records.list();
    const lastUses = records.flatMap(({ names, lastUsed }) => names.map((name) => [name, lastUsed] as const));
    return await engineImages(this.#options.docker, new Map(lastUses));
  }

  /** Removes what nobody has used for long. */
  async collect(): Promise<void> {
    const oldest = Date.now() - this.#options.expirationMs;
    await this.#sweep(async (records) => records.filter(({ lastUsed }) => lastUsed.getTime() < oldest));
  }

  /** Removes images, the longest unused first, until there is enough room. */
  async freeUp(enough: () => Promise<boolean>): Promise<void> {
    await this.#sweep(async (records) => records, enough);
  }

  /** One sweep at a time: two would remove the same. */
  #sweep(
    choose: (records: ImageRecord[]) => Promise<ImageRecord[]>,
    enough: () => Promise<boolean> = async () => false,
  ): Promise<void> {
    const earlier = this.#collecting.catch(() => {});
    this.#collecting = earlier.then(async () => {
      const { logger } = this.#options;
      const unused = (await this.#records.list()).filter(({ names: [name = ''] }) => !this.#held.get(name));
      const chosen = await choose(unused);
      if (chosen.length === 0) {
        return;
      }
      logger.info({ images: chosen.length }, 'garbage collection started');
      for (const record of chosen) {
        if (await enough()) {
          break;
        }
        await this.#remove(record);
      }
      logger.info('garbage collection finished');
    });
    return this.#collecting;
  }

  async #remove(record: ImageRecord): Promise<void> {
    const { docker, logger, onRemoved } = this.#options;
    const [image = ''] = record.names;
    if (this.#held.get(image)) {
      return;
    }
    try {
      for (const name of record.names) {
        await docker
          .getImage(name)
          .remove()
          .catch((error: unknown) => {
            if (engineStatus(error) !== 404) {
              throw error;
            }
          });
      }
      await this.#records.forget(record);
      onRemoved?.();
      logger.info({ image }, 'image removed');
    } catch (error) {
      // One that somebody's container needs stays; the others go all the same.
      const level = engineStatus(error) === 409 ? 'debug' : 'warn';
      logger[level]({ image, reason: engineMessage(error) }, 'image could not be removed');
    }
  }
}
