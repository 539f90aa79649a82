import type { RequestListener, Server } from 'node:http';
import { connectEngine, type Engine } from '../engine.ts';
import type { EngineLimits } from '../engine-api.ts';
import type { EngineFacts } from './docker-facts.ts';
import { engineSocket } from './engine-socket.ts';

/** A connection to something that answers as it is told to where an engine would. */
export async function connectStandIn(
  answer: RequestListener,
  {
    limits,
    onUpgrade,
    facts,
  }: { limits?: EngineLimits; onUpgrade?: Parameters<Server['on']>[1]; facts?: EngineFacts } = {},
): Promise<AsyncDisposable & { engine: Engine; asked: string[] }> {
  await using starting = new AsyncDisposableStack();
  const { socketPath, asked } = starting.use(await engineSocket(answer, onUpgrade, facts));
  const { DOCKER_HOST } = process.env;
  process.env.DOCKER_HOST = `unix://${socketPath}`;
  // Read before the first pause of connecting.
  // They hold from then on that it is connected, which takes a busy machine longer.
  const held: EngineLimits = {};
  const connecting = connectEngine(undefined, undefined, held);
  process.env.DOCKER_HOST = DOCKER_HOST;
  if (DOCKER_HOST === undefined) {
    delete process.env.DOCKER_HOST;
  }
  const engine = starting.use(await connecting);
  Object.assign(held, limits);
  const owned = starting.move();
  return { engine, asked, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
