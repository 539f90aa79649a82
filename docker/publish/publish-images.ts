import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bakeImages } from '../images/bake-images.ts';
import { baseImage } from '../images/base-image.ts';
import { imageDefinitions } from '../images/image-definitions.ts';
import { buildPlatforms } from '../images/platforms.ts';
import { baseForPlatforms } from './base-for-platforms.ts';
import { type PublishOptions, publish } from './publish.ts';
import { pushFromEngine } from './push-from-engine.ts';
import { pushWithBuildx } from './push-with-buildx.ts';
import { sourceDate } from './source-date.ts';

/** Publishes every image, and writes what a worker's configuration needs to use exactly these. */
export async function publishImages(
  options: PublishOptions & { root: string; base: string | undefined },
): Promise<void> {
  const { root, registry, base, billFolder } = options;
  const platforms = await buildPlatforms();
  process.stderr.write(`publishing ${platforms.explanation}\n`);
  const epoch = await sourceDate(root);
  const digests = platforms.names.length > 1 ? await severalPlatforms() : await onePlatform();
  const settings = { sidecars: { registry, digests } };
  await writeFile(join(billFolder, 'sidecars.json'), `${JSON.stringify(settings, null, 2)}\n`);

  async function severalPlatforms() {
    const list = await baseForPlatforms(base, { platforms: platforms.names, registry });
    const images = await imageDefinitions(root, list);
    return await publish(images, pushWithBuildx(platforms, epoch), options);
  }

  async function onePlatform() {
    const images = await bakeImages(root, await baseImage(base));
    return await publish(images, await pushFromEngine(images, epoch), options);
  }
}
