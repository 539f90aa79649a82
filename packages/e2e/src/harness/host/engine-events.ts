import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { docker } from './host-contents.ts';

export interface EngineEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
}

/** Follows what happens on the engine, from the moment it is opened. */
export class EngineEvents implements AsyncDisposable {
  readonly #stream: Readable;
  readonly #seen: EngineEvent[] = [];
  readonly #lines: ReturnType<typeof createInterface>;

  static async open(): Promise<EngineEvents> {
    return new EngineEvents((await docker.getEvents({ filters: { type: ['container'] } })) as Readable);
  }

  private constructor(stream: Readable) {
    this.#stream = stream;
    this.#lines = createInterface({ input: stream });
    this.#lines.on('line', (line) => this.#seen.push(JSON.parse(line)));
  }

  /** Waits until that has happened to that container. */
  async happened(action: string, container: string): Promise<void> {
    await this.matching((event) => event.Action === action && event.Actor.ID === container);
  }

  /** Waits for the first event, or the next after those that were given out, that is meant. */
  async matching(isMeant: (event: EngineEvent) => boolean): Promise<EngineEvent> {
    for (;;) {
      const at = this.#seen.findIndex(isMeant);
      if (at >= 0) {
        return this.#seen.splice(at, 1)[0] as EngineEvent;
      }
      await once(this.#lines, 'line');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.destroy();
  }
}
