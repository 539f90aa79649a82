import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerOutput } from '../images/docker-cli.ts';
import type { ImageDefinition } from '../images/image-definitions.ts';
import { makeReproducible } from '../reproducible/reproducible-images.ts';
import type { Pusher } from './publish.ts';

/** Pushes what was baked on this host, after it was made reproducible. */
export async function pushFromEngine(images: readonly ImageDefinition[], epoch: number): Promise<Pusher> {
  const layers = await mkdtemp(join(tmpdir(), 'docker-worker-layers-'));
  try {
    const references = images.map(({ reference }) => reference);
    await makeReproducible(references, epoch, layers);
  } finally {
    await rm(layers, { recursive: true, force: true });
  }
  for (const { name, reference } of images) {
    await dockerOutput(['tag', reference, `docker-worker/${name}:latest`]);
  }
  return { push, dpkgStatus };
}

async function push({ reference }: ImageDefinition, names: readonly string[]): Promise<string> {
  for (const name of names) {
    await dockerOutput(['tag', reference, name]);
    await dockerOutput(['push', '--quiet', name]);
  }
  const format = '{{join .RepoDigests "\\n"}}';
  const known = await dockerOutput(['image', 'inspect', '--format', format, reference]);
  const [name = ''] = names;
  const repository = name.slice(0, name.lastIndexOf(':'));
  const digest = known
    .split('\n')
    .find((line) => line.startsWith(`${repository}@`))
    ?.split('@')[1];
  if (digest === undefined) throw new Error(`the engine does not know the digest of ${name}`);
  return digest;
}

async function dpkgStatus({ reference }: ImageDefinition): Promise<string[]> {
  const argv = ['run', '--rm', '--network', 'none', '--entrypoint', 'cat', reference, '/var/lib/dpkg/status'];
  return await dockerOutput(argv).then(
    (text) => [text],
    () => [],
  );
}
