import { baseImage } from '../images/base-image.ts';
import { dockerOutput } from '../images/docker-cli.ts';

/**
 * The base of images for several platforms: `requested`, which a registry has for all of them, or one that is made here for each
 * platform and put together in the registry that the images go to, where the builder finds it.
 */
export async function baseForPlatforms(
  requested: string | undefined,
  { platforms, registry }: { platforms: readonly string[]; registry: string },
): Promise<string> {
  if (requested !== undefined) return requested;
  const list = `${registry}/docker-worker/base:node-${process.versions.node}`;
  const parts: string[] = [];
  for (const platform of platforms) {
    const architecture = platform.split('/')[1] ?? '';
    const part = `${list}-${architecture}`;
    await dockerOutput(['tag', await baseImage(undefined, architecture), part]);
    await dockerOutput(['push', '--quiet', part]);
    parts.push(part);
  }
  await dockerOutput(['buildx', 'imagetools', 'create', `--tag=${list}`, ...parts]);
  return list;
}
