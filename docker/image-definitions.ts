import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** An image of this repository, and what it is made from. */
export interface ImageDefinition {
  /** `tc-proxy` */
  name: string;
  /** `docker-worker/tc-proxy:0.1.0` */
  reference: string;
  version: string;
  folder: string;
  buildArguments: Record<string, string>;
}

/** Every folder that has a Dockerfile. */
export async function imageDefinitions(root: string, base: string): Promise<ImageDefinition[]> {
  const common = { BASE_IMAGE: base, REVISION: await currentRevision(root), SOURCE: sourceUrl(root) };
  return globSync(['packages/*/Dockerfile', 'docker/*/Dockerfile'], { cwd: root })
    .map(dirname)
    .sort()
    .map((path) => {
      const folder = join(root, path);
      if (path.startsWith('packages/') && !existsSync(join(folder, 'dist'))) {
        throw new Error(`${folder} has no dist folder: run "npm run build" first`);
      }
      const name = basename(folder);
      const version = versionOf(root, folder);
      const reference = `docker-worker/${name}:${version}`;
      return { name, reference, version, folder, buildArguments: { ...common, VERSION: version } };
    });
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
