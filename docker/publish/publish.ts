import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageDefinition } from '../images/image-definitions.ts';
import { softwareBill } from './sbom.ts';
import { signer } from './sign.ts';

/** Gets images into a registry. */
export interface Pusher {
  /** Pushes an image under all of these names; returns the digest that they have in the registry. */
  push(image: ImageDefinition, names: readonly string[]): Promise<string>;
  /** Status files of dpkg in an image that was pushed, one for each platform; none where there is no dpkg. */
  dpkgStatus(image: ImageDefinition, pushed: string): Promise<string[]>;
}

export interface PublishOptions {
  /** Registry and path prefix. */
  registry: string;
  /** Tags beside the version and `latest`. */
  tags: readonly string[];
  /** Folder for the bills of materials, one `<name>.cdx.json` each. */
  billFolder: string;
}

/** Pushes images with bills of materials and signatures, and returns the digests of sidecars by their names. */
export async function publish(
  images: readonly ImageDefinition[],
  pusher: Pusher,
  { registry, tags, billFolder }: PublishOptions,
): Promise<Record<string, string>> {
  const sign = await signer();
  await mkdir(billFolder, { recursive: true });
  const digests: Record<string, string> = {};
  for (const image of images) {
    const repository = `${registry}/docker-worker/${image.name}`;
    const allTags = [...new Set([image.version, 'latest', ...tags])];
    const digest = await pusher.push(
      image,
      allTags.map((tag) => `${repository}:${tag}`),
    );
    const pushed = `${repository}@${digest}`;
    const bill = softwareBill(image.folder, await pusher.dpkgStatus(image, pushed));
    await writeFile(join(billFolder, `${image.name}.cdx.json`), bill);
    await sign(pushed);
    process.stderr.write(`pushed ${registry}/${image.reference}@${digest}\n`);
    if (existsSync(join(image.folder, 'src/sidecar.ts'))) digests[image.name] = digest;
  }
  return digests;
}
