import { spawn } from 'node:child_process';
import { engineListens } from '../engine-listens.ts';
import type { EngineRoom } from './engine-room.ts';

export interface DaemonOptions {
  env?: Record<string, string>;
  as?: 'ordinary user';
}

/** Starts an engine in a room and waits until it listens. It ends with the room. */
export async function startDaemon(
  room: EngineRoom,
  [program, ...args]: readonly [string, ...string[]],
  { env, as }: DaemonOptions = {},
): Promise<void> {
  const daemon = spawn(...room.command(program, args, { as }), {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await engineListens(daemon);
}
