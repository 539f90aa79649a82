import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { dockerOutput } from '../images/docker-cli.ts';
import type { ImageDefinition } from '../images/image-definitions.ts';
import type { Platforms } from '../images/platforms.ts';
import type { Pusher } from './publish.ts';

const Metadata = z.looseObject({ 'containerimage.digest': z.string() });

/**
 * Builds for several platforms at once and pushes the result, a list of images, straight from the builder: nothing of it comes
 * to the engine of this host.
 *
 * @param epoch nothing in the images is later than this, in seconds since 1970
 */
export function pushWithBuildx({ names: platforms, reproducible }: Platforms, epoch: number): Pusher {
  const platform = `--platform=${platforms.join(',')}`;
  return {
    push: ({ folder, dockerfile, buildArguments }, names) =>
      withFolder(async (scratch) => {
        const metadata = join(scratch, 'metadata.json');
        const build = { ...buildArguments, SOURCE_DATE_EPOCH: String(epoch) };
        await dockerOutput([
          ...['buildx', 'build', platform],
          ...names.map((name) => `--tag=${name}`),
          ...Object.entries(build).map(([key, value]) => `--build-arg=${key}=${value}`),
          // A statement about the build would have the time of the build in it, and be one more image of the list.
          '--provenance=false',
          `--output=type=registry${reproducible ? ',rewrite-timestamp=true' : ''}`,
          `--metadata-file=${metadata}`,
          `--file=${dockerfile}`,
          folder,
        ]);
        return Metadata.parse(JSON.parse(await readFile(metadata, 'utf8')))['containerimage.digest'];
      }),

    dpkgStatus: (_: ImageDefinition, pushed) =>
      withFolder(async (scratch) => {
        // Without a container, which would need an engine that runs the platform. A pattern may match nothing.
        const dockerfile = `FROM scratch\nCOPY --from=${pushed} /var/lib/dpkg/statu[s] /\n`;
        await writeFile(join(scratch, 'Dockerfile'), dockerfile);
        await dockerOutput(['buildx', 'build', platform, `--output=type=local,dest=${scratch}/out`, scratch]);
        const files = platforms.map((name) => join(scratch, 'out', name.replace('/', '_'), 'status'));
        return await Promise.all(files.filter(existsSync).map((file) => readFile(file, 'utf8')));
      }),
  };
}

async function withFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-worker-buildx-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
