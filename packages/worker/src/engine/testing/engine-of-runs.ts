import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Engine } from '../engine.ts';
import { connectStandIn } from './connect-stand-in.ts';
import { factsOfThisHost } from './docker-facts.ts';

/** What a container was asked for with. */
export interface CreatedContainer {
  HostConfig?: { Binds?: string[] };
}

export interface EngineOfRuns extends AsyncDisposable {
  engine: Engine;
  /** In their order. */
  created: CreatedContainer[];
  /** Settles when a network is to be made, with what lets that go on. */
  creation(): Promise<() => void>;
  /** Settles when a network is to be removed, with what lets that go on. */
  removal(): Promise<() => void>;
  /** No removal waits any more. */
  removeAll(): void;
}

/**
 * An engine whose containers end at once with 0, and which removes no network before it is let go on.
 *
 * @param cutsStarts starts containers without telling anybody
 * @param holdsCreations makes no network before it is let go on
 */
export async function engineOfRuns({
  cutsStarts = false,
  holdsCreations = false,
} = {}): Promise<EngineOfRuns> {
  const created: CreatedContainer[] = [];
  const creations = new Held(holdsCreations);
  const removals = new Held(true);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '', 'http://engine');
    const send = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const [, kind, id, action] = pathname.split('/');
    switch (`${request.method} ${kind} ${action ?? id ?? ''}`) {
      case 'GET events ':
        response.writeHead(200).flushHeaders();
        break;
      case 'POST networks create':
        creations.add(() => send({ Id: 'network' }, 201));
        break;
      case 'DELETE networks network':
        removals.add(() => response.writeHead(204).end());
        break;
      case 'GET images json':
        send(id === 'json' ? [] : { Id: 'image', Config: {} });
        break;
      case 'POST containers create':
        created.push((await json(request)) as CreatedContainer);
        send({ Id: 'container' }, 201);
        break;
      case 'POST containers attach':
        response.writeHead(200, { 'content-type': 'application/vnd.docker.raw-stream' }).end();
        break;
      case 'POST containers start':
        if (cutsStarts) request.destroy();
        else response.writeHead(204).end();
        break;
      case 'POST containers wait':
        send({ StatusCode: 0 });
        break;
      case 'GET containers json':
        send(id === 'json' ? [] : { State: { Running: false, ExitCode: 0, OOMKilled: false } });
        break;
      case 'GET containers archive':
        send({ message: 'there is no such file' }, 404);
        break;
      case 'DELETE containers container':
        response.writeHead(204).end();
        break;
      default:
        send([]);
    }
  }

  const { engine, ...standIn } = await connectStandIn((request, response) => void answer(request, response), {
    facts: factsOfThisHost,
  });
  return {
    engine,
    created,
    creation: () => creations.next(),
    removal: () => removals.next(),
    removeAll: () => removals.letAll(),
    async [Symbol.asyncDispose]() {
      creations.letAll();
      removals.letAll();
      await standIn[Symbol.asyncDispose]();
    },
  };
}

/** Answers that wait until a test lets them go on. */
class Held {
  readonly #events = new EventEmitter();
  readonly #held: (() => void)[] = [];
  #told = 0;
  #isHolding: boolean;

  constructor(isHolding: boolean) {
    this.#isHolding = isHolding;
  }

  add(answer: () => void): void {
    let isGiven = false;
    this.#held.push(() => {
      if (!isGiven) answer();
      isGiven = true;
    });
    this.#events.emit('held');
    if (!this.#isHolding) this.letAll();
  }

  /** Each is told once, in their order. */
  async next(): Promise<() => void> {
    const next = this.#told++;
    for (;;) {
      const answer = this.#held[next];
      if (answer !== undefined) {
        return answer;
      }
      await once(this.#events, 'held');
    }
  }

  letAll(): void {
    this.#isHolding = false;
    for (const answer of this.#held) {
      answer();
    }
  }
}
