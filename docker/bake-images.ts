import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { dockerOutput, imageLabel, inputsLabel } from './docker-cli.ts';
import { digestOf, folderContents } from './inputs-digest.ts';

/** An image on this host, and what it is made from. */
export interface BakedImage {
  /** `tc-proxy` */
  name: string;
  /** `docker-worker/tc-proxy:0.1.0`; the same with `latest` exists as well. */
  reference: string;
  version: string;
  folder: string;
  buildArguments: Record<string, string>;
}

/** Bakes what is missing or out of date; returns all images. */
export async function bakeImages(root: string, base: string): Promise<BakedImage[]> {
  const common = { BASE_IMAGE: base, REVISION: await currentRevision(root), SOURCE: sourceUrl(root) };
  const baseId = await dockerOutput(['image', 'inspect', '--format', '{{.Id}}', base]);
  const folders = globSync(['packages/*/Dockerfile', 'docker/*/Dockerfile'], { cwd: root })
    .map(dirname)
    .sort();
  const images = folders.map((path): BakedImage => {
    const folder = join(root, path);
    const name = basename(folder);
    const version = versionOf(root, folder);
    const reference = `docker-worker/${name}:${version}`;
    return { name, reference, version, folder, buildArguments: { ...common, VERSION: version } };
  });
  const baked = await Promise.all(images.map((image) => bake(root, image, baseId)));
  if (baked.includes(true)) {
    // The tag has moved on; what it pointed at before is of no use to anyone.
    await dockerOutput(['image', 'prune', '--force', '--filter', `label=${inputsLabel}`]);
  }
  return images;
}

/** Returns whether a new image was made. */
async function bake(
  root: string,
  { name, reference, version, folder, buildArguments }: BakedImage,
  baseId: string,
): Promise<boolean> {
  const dist = join(folder, 'dist');
  if (folder.startsWith(join(root, 'packages')) && !existsSync(dist)) {
    throw new Error(`${folder} has no dist folder: run "npm run build" first`);
  }
  const inputs = digestOf([
    Buffer.from(`${baseId} ${version}`),
    readFileSync(join(folder, 'Dockerfile')),
    ...(existsSync(dist) ? folderContents(dist) : []),
  ]);
  if ((await imageLabel(reference, inputsLabel)) === inputs) {
    return false;
  }
  await dockerOutput([
    'build',
    '--quiet',
    `--tag=${reference}`,
    `--tag=docker-worker/${name}:latest`,
    `--label=${inputsLabel}=${inputs}`,
    ...Object.entries(buildArguments).map(([key, value]) => `--build-arg=${key}=${value}`),
    folder,
  ]);
  process.stderr.write(`baked ${reference}\n`);
  return true;
}

function versionOf(root: string, folder: string): string {
  const own = join(folder, 'package.json');
  const manifest = existsSync(own) ? own : join(root, 'packages', 'worker', 'package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** Where the sources live, by the root manifest. */
function sourceUrl(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { repository: string }).repository;
}

async function currentRevision(root: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: root });
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
