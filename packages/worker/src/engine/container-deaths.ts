import type { Readable } from 'node:stream';
import { z } from 'zod';
import { label } from '../ownership/labels.ts';
import { ownProcess } from '../ownership/process-identity.ts';
import { answerLines } from './answer-lines.ts';

export interface ContainerDeath {
  exitCode: number;
  outOfMemory: boolean;
}

export interface ContainerWatch extends Disposable {
  /** Settles when the container has died, for whatever reason; not when it is no longer watched. */
  died: Promise<ContainerDeath>;
}

/** Of the engine's events, what {@link ContainerDeaths} is made of: those of this process's containers. */
export const deathEvents = {
  // Podman goes by its own name for it, and tells of it by this one.
  event: ['die', 'died', 'oom'],
  label: [`${label.process}=${ownProcess}`],
};

const ContainerEvent = z.looseObject({
  Action: z.string(),
  Actor: z.looseObject({ ID: z.string(), Attributes: z.record(z.string(), z.string()).default({}) }),
});

/** Tells who waits for it that a container has died, from one stream of events for all of them. */
export class ContainerDeaths {
  readonly #watched = new Map<string, { outOfMemory: boolean; resolve(death: ContainerDeath): void }>();

  constructor(events: Readable) {
    void this.#follow(events);
  }

  /** One watch a container; to be called before its start. */
  watch(id: string): ContainerWatch {
    const { promise, resolve } = Promise.withResolvers<ContainerDeath>();
    this.#watched.set(id, { outOfMemory: false, resolve });
    return { died: promise, [Symbol.dispose]: () => this.#watched.delete(id) };
  }

  async #follow(events: Readable): Promise<void> {
    try {
      for await (const line of answerLines(events)) {
        this.#take(line);
      }
    } catch {
      // The connection knows that the stream is its own end.
    }
  }

  #take(line: string): void {
    const { success, data } = ContainerEvent.safeParse(parsed(line));
    const watched = success ? this.#watched.get(data.Actor.ID) : undefined;
    if (!success || watched === undefined) {
      return;
    }
    if (data.Action === 'oom') {
      watched.outOfMemory = true;
      return;
    }
    this.#watched.delete(data.Actor.ID);
    const exitCode = Number(data.Actor.Attributes.exitCode ?? -1);
    watched.resolve({ exitCode, outOfMemory: watched.outOfMemory });
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
