import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeTempDir } from '../temp-dir.ts';

/** An image of a few megabytes: a shell with its tools, and a file `/marker` that tells it from others. */
export interface TinyImage {
  /** What the engine calls it. */
  id: string;
  config: Buffer;
  /** The one layer, compressed as registries hold it. */
  layer: Buffer;
  /** As `docker save` writes it, under any names. */
  archive: Buffer;
}

const shellAndTools = ['sh', 'cat', 'echo', 'sleep', 'ls', 'mount', 'env', 'mkdir', 'grep'];

export interface TinyImageOptions {
  repoTags?: string[];
  /** Programs in /bin. */
  tools?: string[];
  entrypoint?: string[];
}

/** Needs a statically linked busybox at /bin/busybox. */
export async function makeTinyImage(
  marker: string,
  { repoTags = [], tools = shellAndTools, entrypoint = [] }: TinyImageOptions = {},
): Promise<TinyImage> {
  await using dir = await makeTempDir();
  const root = join(dir.path, 'root');
  await mkdir(join(root, 'bin'), { recursive: true });
  const [first = 'busybox', ...others] = tools;
  // Busybox is whatever program it is called as.
  await copyFile('/bin/busybox', join(root, 'bin', first));
  for (const tool of others) {
    await symlink(first, join(root, 'bin', tool));
  }
  await writeFile(join(root, 'marker'), marker);
  const layer = tar(root);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {
        Env: ['PATH=/bin'],
        Entrypoint: entrypoint,
        Cmd: ['/bin/cat', '/marker'].slice(entrypoint.length > 0 ? 1 : 0),
      },
      rootfs: { type: 'layers', diff_ids: [digest(layer)] },
      history: [{ created_by: 'a test' }],
    }),
  );
  const id = digest(config);
  const saved = join(dir.path, 'saved');
  await mkdir(join(saved, 'layer'), { recursive: true });
  const configFile = `${id.slice('sha256:'.length)}.json`;
  await writeFile(join(saved, configFile), config);
  await writeFile(join(saved, 'layer/layer.tar'), layer);
  const manifest = [{ Config: configFile, RepoTags: repoTags, Layers: ['layer/layer.tar'] }];
  await writeFile(join(saved, 'manifest.json'), JSON.stringify(manifest));
  return { id, config, layer: gzipSync(layer), archive: tar(saved) };
}

export function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function tar(folder: string): Buffer {
  return execFileSync('tar', ['-C', folder, '-cf', '-', '.'], { maxBuffer: 64 * 1024 * 1024 });
}
