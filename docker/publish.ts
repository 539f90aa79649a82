import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BakedImage } from './bake-images.ts';
import { dockerOutput } from './docker-cli.ts';
import { makeReproducible } from './reproducible-images.ts';
import { softwareBill } from './sbom.ts';

export interface PublishOptions {
  root: string;
  /** Registry and path prefix. */
  registry: string;
  /** Tags beside the version and `latest`. */
  tags: readonly string[];
  /** Folder for the bills of materials, one `<name>.cdx.json` each. */
  billFolder: string;
}

/** Pushes images and returns the digests of sidecars by their names. */
export async function publish(
  images: readonly BakedImage[],
  { root, registry, tags, billFolder }: PublishOptions,
): Promise<Record<string, string>> {
  const sign = await signer();
  const epoch = await sourceDate(root);
  const layers = await mkdtemp(join(tmpdir(), 'docker-worker-layers-'));
  await mkdir(billFolder, { recursive: true });
  const digests: Record<string, string> = {};
  try {
    await makeReproducible(
      images.map(({ reference }) => reference),
      epoch,
      layers,
    );
    for (const image of images) {
      await dockerOutput(['tag', image.reference, `docker-worker/${image.name}:latest`]);
      const digest = await push(image, registry, tags);
      const bill = await softwareBill(root, image);
      await writeFile(join(billFolder, `${image.name}.cdx.json`), `${JSON.stringify(bill, null, 2)}\n`);
      await sign(`${registry}/docker-worker/${image.name}@${digest}`);
      process.stderr.write(`pushed ${registry}/${image.reference}@${digest}\n`);
      if (existsSync(join(image.folder, 'src/sidecar.ts'))) digests[image.name] = digest;
    }
  } finally {
    await rm(layers, { recursive: true, force: true });
  }
  return digests;
}

/** Pushes an image under all of its tags; returns its digest in the registry. */
async function push({ name, reference, version }: BakedImage, registry: string, tags: readonly string[]) {
  const repository = `${registry}/docker-worker/${name}`;
  for (const tag of new Set([version, 'latest', ...tags])) {
    await dockerOutput(['tag', reference, `${repository}:${tag}`]);
    await dockerOutput(['push', '--quiet', `${repository}:${tag}`]);
  }
  const known = await dockerOutput([
    'image',
    'inspect',
    '--format',
    '{{join .RepoDigests "\\n"}}',
    reference,
  ]);
  const digest = known
    .split('\n')
    .find((line) => line.startsWith(`${repository}@`))
    ?.split('@')[1];
  if (digest === undefined)
    throw new Error(`the engine does not know the digest of ${repository}:${version}`);
  return digest;
}

/** Signs with cosign where COSIGN_KEY says with which key; found missing before anything is pushed. */
async function signer(): Promise<(image: string) => Promise<void>> {
  const key = process.env.COSIGN_KEY;
  if (!key) return async () => {};
  const run = promisify(execFile);
  await run('cosign', ['version']).catch(() => {
    throw new Error(
      'COSIGN_KEY is set, but cosign is not on the PATH: install it, or unset COSIGN_KEY to publish unsigned',
    );
  });
  return async (image) => {
    await run('cosign', ['sign', '--yes', '--key', key, image]);
  };
}

/** Seconds since 1970 that nothing in the images is later than: of the commit, unless SOURCE_DATE_EPOCH is set. */
async function sourceDate(root: string): Promise<number> {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  const { stdout } = await promisify(execFile)('git', ['log', '-1', '--format=%ct'], { cwd: root });
  return Number(stdout);
}
