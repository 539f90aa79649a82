import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { docker } from './host-contents.ts';

interface EngineEvent {
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
    while (!this.#seen.some((event) => event.Action === action && event.Actor.ID === container)) {
      await once(this.#lines, 'line');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.destroy();
  }
}
