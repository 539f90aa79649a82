import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** An image of this repository, and what it is made from. */
export interface ImageDefinition {
  /** `tc-proxy` */
  name: string;
  /** `docker-worker/tc-proxy:0.1.0` */
  reference: string;
  version: string;
  /** The context of its build. */
  folder: string;
  dockerfile: string;
  buildArguments: Record<string, string>;
}

/** What a service says of its image in `image.json`; all services have the one recipe in `service.Dockerfile`. */
const ServiceImage = z.strictObject({
  /** Who runs the service, and the group of the same number. */
  userId: z.int().default(10_001),
  /** Of Debian. What is to be done to them stands in `prepare-image.sh` beside. */
  packages: z.array(z.string()).default([]),
});

const ServiceManifest = z.looseObject({ description: z.string() });

/** Every folder that has an `image.json` or a Dockerfile, or those of the names. */
export async function imageDefinitions(
  root: string,
  base: string,
  names?: string[],
): Promise<ImageDefinition[]> {
  const common = { BASE_IMAGE: base, REVISION: await currentRevision(root), SOURCE: sourceUrl(root) };
  return globSync(['packages/*/image.json', '{packages,docker}/*/Dockerfile'], { cwd: root })
    .filter((path) => names?.includes(basename(dirname(path))) ?? true)
    .sort()
    .map((path) => {
      const folder = join(root, dirname(path));
      if (path.startsWith('packages/') && !existsSync(join(folder, 'dist'))) {
        throw new Error(`${folder} has no dist folder: run "npm run build" first`);
      }
      const name = basename(folder);
      const version = versionOf(root, folder);
      const isService = path.endsWith('image.json');
      return {
        ...{ name, version, folder },
        reference: `docker-worker/${name}:${version}`,
        dockerfile: isService ? join(import.meta.dirname, 'service.Dockerfile') : join(folder, 'Dockerfile'),
        buildArguments: { ...common, VERSION: version, ...(isService ? serviceArguments(folder, name) : {}) },
      };
    });
}

function serviceArguments(folder: string, name: string): Record<string, string> {
  const { userId, packages } = ServiceImage.parse(json(join(folder, 'image.json')));
  const script = join(folder, 'prepare-image.sh');
  return {
    NAME: name,
    DESCRIPTION: ServiceManifest.parse(json(join(folder, 'package.json'))).description,
    VARIABLES: name.toUpperCase().replaceAll('-', '_'),
    USER_ID: String(userId),
    PACKAGES: packages.join(' '),
    ...(existsSync(script) ? { PREPARE: readFileSync(script, 'utf8') } : {}),
  };
}

function versionOf(root: string, folder: string): string {
  const own = join(folder, 'package.json');
  const manifest = existsSync(own) ? own : join(root, 'packages', 'worker', 'package.json');
  return (json(manifest) as { version: string }).version;
}

/** Where the sources live, by the root manifest. */
function sourceUrl(root: string): string {
  return (json(join(root, 'package.json')) as { repository: string }).repository;
}

function json(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

async function currentRevision(root: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: root });
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
