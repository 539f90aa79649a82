import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { docker } from '../host/host-contents.ts';
import { makeTempDir } from '../temp-dir.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../../../..');

/** Debian's registry, on one address of this host. */
export interface ImageRegistry extends AsyncDisposable {
  /** `host:port` */
  address: string;
}

/** @param folder holds the images; registries may share it */
export async function startImageRegistry(host: string, folder: string): Promise<ImageRegistry> {
  const config = join(folder, `registry-${host}.yml`);
  const settings = {
    version: 0.1,
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(folder, 'images') } },
    http: { addr: `${host}:0` },
  };
  await writeFile(config, JSON.stringify(settings));
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close');
  const address = await new Promise<string>((found, failed) => {
    const lines = createInterface({ input: child.stderr });
    lines.on('line', (line) => {
      const match = /listening on ([\d.]+:\d+)/.exec(line);
      if (match?.[1]) found(match[1]);
    });
    lines.on('close', () => failed(new Error('the registry ended before it listened')));
  });
  return {
    address,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export interface Published {
  /** `sidecars` of a worker's configuration. */
  sidecars: { registry: string; digests: Record<string, string> };
  /** The CycloneDX document of an image, by its name. */
  bill(name: string): Promise<{ components: { name: string; purl?: string }[] }>;
}

/** Publishes the images of this repository as a person would. */
export async function publishImages(registry: string, folder: string, tag: string): Promise<Published> {
  const argv = ['docker/bake.ts', '--push', '--registry', registry, '--tag', tag, '--out', folder];
  await run(process.execPath, ['--no-warnings', ...argv], { cwd: repository });
  const read = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));
  return { ...(await read('sidecars.json')), bill: (name) => read(`${name}.cdx.json`) };
}

export interface Layers {
  /** Digests, the base first. */
  layers: string[];
  /** What made each of them. */
  steps: string[];
}

/** Two images of one package, made one after the other without any cache. */
export async function layersOfTwoBuilds(name: string): Promise<[Layers, Layers]> {
  await using folder = await makeTempDir();
  const { makeReproducible } = await import('../../../../../docker/reproducible/reproducible-images.ts');
  const { imageDefinitions } = await import('../../../../../docker/images/image-definitions.ts');
  const { baseImage } = await import('../../../../../docker/images/base-image.ts');
  const images = await imageDefinitions(repository, await baseImage(undefined));
  const image = images.find((one) => one.name === name);
  if (image === undefined) throw new Error(`there is no image ${name}`);
  const build = async (tag: string): Promise<Layers> => {
    const reference = `docker-worker-test/${name}:${tag}`;
    const args = Object.entries(image.buildArguments).map(([key, value]) => `--build-arg=${key}=${value}`);
    const file = `--file=${image.dockerfile}`;
    await run('docker', [
      'build',
      '--quiet',
      '--no-cache',
      `--tag=${reference}`,
      file,
      ...args,
      image.folder,
    ]);
    await makeReproducible([reference], 1_700_000_000, folder.path);
    const built = docker.getImage(reference);
    const [{ RootFS }, history] = await Promise.all([built.inspect(), built.history()]);
    await built.remove();
    const steps = history as { CreatedBy: string; Size: number }[];
    return {
      layers: RootFS.Layers ?? [],
      steps: steps
        .filter(({ Size }) => Size > 0)
        .map(({ CreatedBy }) => CreatedBy)
        .reverse(),
    };
  };
  return [await build('first'), await build('second')];
}
