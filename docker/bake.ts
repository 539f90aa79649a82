import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { baseImage } from './base-image.ts';
import { dockerOutput, imageLabel, inputsLabel } from './docker-cli.ts';
import { digestOf, folderContents } from './inputs-digest.ts';

/**
 * Bakes the image of every folder that has a Dockerfile: `packages/*` under the version of the package,
 * `docker/*` under the version of this repository's worker. Only what is missing or out of date is made.
 *
 *   node docker/bake.ts [--base IMAGE]
 */
const root = dirname(import.meta.dirname);
const { values: options } = parseArgs({ options: { base: { type: 'string' } } });
const revision = await currentRevision();
const source = sourceUrl();
const base = await baseImage(root, options.base);
const folders = globSync(['packages/*/Dockerfile', 'docker/*/Dockerfile'], { cwd: root }).map(dirname);
const baked = await Promise.all(folders.map((folder) => bake(join(root, folder))));
if (baked.includes(true)) {
  // The tag has moved on; what it pointed at before is of no use to anyone.
  await dockerOutput(['image', 'prune', '--force', '--filter', `label=${inputsLabel}`]);
}

/** Returns whether a new image was made. */
async function bake(folder: string): Promise<boolean> {
  const name = basename(folder);
  const dist = join(folder, 'dist');
  if (folder.startsWith(join(root, 'packages')) && !existsSync(dist)) {
    throw new Error(`${folder} has no dist folder: run "npm run build" first`);
  }
  const version = versionOf(folder);
  const image = `docker-worker/${name}:${version}`;
  const baseId = await dockerOutput(['image', 'inspect', '--format', '{{.Id}}', base]);
  const inputs = digestOf([
    Buffer.from(`${baseId} ${version}`),
    readFileSync(join(folder, 'Dockerfile')),
    ...(existsSync(dist) ? folderContents(dist) : []),
  ]);
  if ((await imageLabel(image, inputsLabel)) === inputs) {
    return false;
  }
  const buildArguments = { BASE_IMAGE: base, VERSION: version, REVISION: revision, SOURCE: source };
  await dockerOutput([
    'build',
    '--quiet',
    `--tag=${image}`,
    `--tag=docker-worker/${name}:latest`,
    `--label=${inputsLabel}=${inputs}`,
    ...Object.entries(buildArguments).map(([key, value]) => `--build-arg=${key}=${value}`),
    folder,
  ]);
  process.stderr.write(`baked ${image}\n`);
  return true;
}

function versionOf(folder: string): string {
  const own = join(folder, 'package.json');
  const manifest = existsSync(own) ? own : join(root, 'packages', 'worker', 'package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** Where the sources live, by the root manifest. */
function sourceUrl(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { repository: string }).repository;
}

async function currentRevision(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: root });
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
