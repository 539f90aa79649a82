import { z } from 'zod';
import { bytesText } from '../bytes-text.ts';
import type { Engine } from '../engine/engine.ts';

const Image = z.looseObject({ Size: z.number() });

/** How large images are, of each of which the engine is asked once, when somebody wants to see it. */
export class ImageSizes {
  readonly #engine: Pick<Engine, 'docker'>;
  readonly #texts = new Map<string, Promise<string | undefined>>();

  constructor(engine: Pick<Engine, 'docker'>) {
    this.#engine = engine;
  }

  /** As in `120 MiB`; nothing of one that the engine does not have. */
  async text(hash: string): Promise<string | undefined> {
    const known = this.#texts.get(hash) ?? this.#ask(hash);
    this.#texts.set(hash, known);
    return await known;
  }

  async #ask(hash: string): Promise<string | undefined> {
    try {
      return bytesText(Image.parse(await this.#engine.docker.getImage(hash).inspect()).Size);
    } catch {
      return undefined;
    }
  }
}
