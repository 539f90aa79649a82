import { stat, statfs } from 'node:fs/promises';
import type { Engine } from './engine.ts';

export interface Disk {
  /** Bytes. */
  free: number;
  size: number;
  /** Tells file systems of this host apart. */
  device: number;
}

/**
 * The disk that images and containers are on: `volume`'s, or else the one where the engine keeps its data.
 * Nothing is known of an engine on another machine.
 */
export async function engineDisk(
  { capabilities }: Pick<Engine, 'capabilities'>,
  volume: string | undefined,
): Promise<Disk | undefined> {
  return await diskOf(volume ?? capabilities.dataFolder).catch(() => undefined);
}

export async function diskOf(folder: string): Promise<Disk> {
  const [{ bavail, blocks, bsize }, { dev }] = await Promise.all([statfs(folder), stat(folder)]);
  return { free: bavail * bsize, size: blocks * bsize, device: dev };
}
