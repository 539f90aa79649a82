import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bakeImages } from './images/bake-images.ts';
import { baseImage } from './images/base-image.ts';

/**
 * Bakes the image of every folder that has an `image.json` or a Dockerfile: `packages/*` under the version of the package, `docker/*` under
 * the version of this repository's worker. Only what is missing or out of date is made, and with `--only` no other than
 * those named. With `--push` they are made reproducible and published instead, for amd64 and arm64 where Docker's buildx
 * can, else for the platform of this host.
 *
 *   node docker/bake.ts [--base IMAGE] [--base-only | --only NAME... | --push --registry HOST/PREFIX [--tag TAG]... [--out FOLDER]]
 *
 * `--tag` adds tags beside the version and `latest`. The folder (default: `published`) gets `sidecars.json`, which is what a
 * worker's configuration needs to use exactly these images, and a CycloneDX bill of materials for each. With the environment
 * variable COSIGN_KEY the images are signed.
 */
const root = dirname(import.meta.dirname);
const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    'base-only': { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    push: { type: 'boolean', default: false },
    registry: { type: 'string' },
    tag: { type: 'string', multiple: true, default: [] },
    out: { type: 'string', default: 'published' },
  },
});
const registry = options.registry?.replace(/\/$/, '');
if (options.push !== (registry !== undefined)) {
  process.stderr.write('--push and --registry go together: --push --registry HOST/PREFIX\n');
  process.exit(2);
}

if (options['base-only']) {
  await baseImage(options.base);
} else if (registry === undefined) {
  await bakeImages(root, await baseImage(options.base), options.only);
} else {
  // What it needs is loaded for it alone: baking is part of every start.
  const { publishImages } = await import('./publish/publish-images.ts');
  const folder = resolve(options.out);
  await publishImages({ root, registry, base: options.base, tags: options.tag, billFolder: folder });
}
