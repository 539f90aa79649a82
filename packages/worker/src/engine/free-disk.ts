import { stat, statfs } from 'node:fs/promises';
import type Docker from 'dockerode';
import { z } from 'zod';

const EngineInfo = z.looseObject({ DockerRootDir: z.string() });

export interface Disk {
  /** Bytes. */
  free: number;
  size: number;
  /** Tells file systems of this host apart. */
  device: number;
}

/** Asking takes the engine long, and it stays what it is. */
const rootDirectories = new WeakMap<Docker, string>();

/**
 * The disk that images and containers are on: `volume`'s, or else the one where the engine keeps its data.
 * Nothing is known of an engine on another machine.
 */
export async function engineDisk(docker: Docker, volume: string | undefined): Promise<Disk | undefined> {
  return await diskOf(volume ?? (await rootDirectory(docker))).catch(() => undefined);
}

async function rootDirectory(docker: Docker): Promise<string> {
  const directory = rootDirectories.get(docker) ?? EngineInfo.parse(await docker.info()).DockerRootDir;
  rootDirectories.set(docker, directory);
  return directory;
}

export async function diskOf(folder: string): Promise<Disk> {
  const [{ bavail, blocks, bsize }, { dev }] = await Promise.all([statfs(folder), stat(folder)]);
  return { free: bavail * bsize, size: blocks * bsize, device: dev };
}
