import { createServer } from 'node:net';
import { listening } from './listening.ts';

/** A port of loopback that nobody listened on a moment ago, for programs that tell nobody which one they chose. */
export async function freePort(): Promise<number> {
  await using server = await listening(createServer());
  return server.port;
}
