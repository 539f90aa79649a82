import { spawn } from 'node:child_process';
import { engineListens } from '../engine-listens.ts';
import type { EngineRoom, Somebody } from './engine-room.ts';

export interface DaemonOptions extends Somebody {
  env?: Record<string, string>;
}

/** Starts an engine in a room and waits until it listens. It ends with the room. */
export async function startDaemon(
  room: EngineRoom,
  command: readonly string[],
  { env, as }: DaemonOptions = {},
): Promise<void> {
  const daemon = spawn(...room.command(command, { as }), {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await engineListens(daemon);
}
