import { statfs } from 'node:fs/promises';
import type Docker from 'dockerode';
import { z } from 'zod';

const EngineInfo = z.looseObject({ DockerRootDir: z.string() });

/**
 * Bytes free on the disk that images and containers are on: `volume`, or else where the engine keeps its
 * data. Nothing is known of an engine on another machine.
 */
export async function freeDisk(docker: Docker, volume: string | undefined): Promise<number | undefined> {
  const folder = volume ?? EngineInfo.parse(await docker.info()).DockerRootDir;
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
