import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerBuild, dockerOutput, imageLabel, inputsLabel } from './docker-cli.ts';
import { type ImageDefinition, imageDefinitions } from './image-definitions.ts';
import { digestOf, folderContents } from './inputs-digest.ts';

/** Bakes what is missing on this host or out of date, with the tag `latest` as well; returns all images, or those of the names. */
export async function bakeImages(root: string, base: string, names?: string[]): Promise<ImageDefinition[]> {
  const baseId = await dockerOutput(['image', 'inspect', '--format', '{{.Id}}', base]);
  const images = await imageDefinitions(root, base, names);
  const baked = await Promise.all(images.map((image) => bake(image, baseId)));
  if (baked.includes(true)) {
    // The tag has moved on; what it pointed at before is of no use to anyone.
    await dockerOutput(['image', 'prune', '--force', '--filter', `label=${inputsLabel}`]);
  }
  return images;
}

/** Returns whether a new image was made. */
async function bake(
  { name, reference, version, folder, dockerfile, buildArguments }: ImageDefinition,
  baseId: string,
): Promise<boolean> {
  const dist = join(folder, 'dist');
  const inputs = digestOf([
    Buffer.from(`${baseId} ${version}`),
    readFileSync(dockerfile),
    ...ownArguments(buildArguments),
    ...(existsSync(dist) ? folderContents(dist) : []),
  ]);
  if ((await imageLabel(reference, inputsLabel)) === inputs) {
    return false;
  }
  await dockerBuild([
    '--quiet',
    `--tag=${reference}`,
    `--tag=docker-worker/${name}:latest`,
    `--label=${inputsLabel}=${inputs}`,
    ...Object.entries(buildArguments).map(([key, value]) => `--build-arg=${key}=${value}`),
    `--file=${dockerfile}`,
    folder,
  ]);
  process.stderr.write(`baked ${reference}\n`);
  return true;
}

/** Those that say what is in it: the revision alone makes no other image. */
function ownArguments({ REVISION: _, BASE_IMAGE: __, ...own }: Record<string, string>): Buffer[] {
  return Object.entries(own).map(([key, value]) => Buffer.from(`${key}=${value}`));
}
