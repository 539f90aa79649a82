import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundleOptions } from '../../docker/bundle/bundle-options.ts';
import type { Device, Patch } from './devices.ts';

const root = join(import.meta.dirname, '../..');

/** Bundles tc-proxy as for its image, but for one device, and gives the path of what is to be run. */
export async function bundleWithout(
  { name, patches = [], plugins = [] }: Omit<Device, 'affects'>,
  folder: string,
): Promise<string> {
  const unused = new Set(patches);
  await build({
    ...bundleOptions,
    absWorkingDir: join(root, 'packages/tc-proxy'),
    entryPoints: ['src/main.ts'],
    outdir: folder,
    metafile: false,
    plugins: [patched(unused), ...bundleOptions.plugins.filter((plugin) => !plugins.includes(plugin.name))],
  });
  for (const { file, find } of unused)
    throw new Error(`cannot leave out "${name}": ${file} was not bundled, or has no “${find}” any more`);
  return join(folder, 'main.js');
}

function patched(patches: Set<Patch>): Plugin {
  return {
    name: 'patched',
    setup({ onLoad }) {
      onLoad({ filter: /packages\/[^/]+\/src\/.*\.ts$/ }, ({ path }) => {
        const here = [...patches].filter(({ file }) => path === join(root, file));
        if (here.length === 0) return undefined;
        let contents = readFileSync(path, 'utf8');
        for (const patch of here) {
          if (!contents.includes(patch.find)) continue;
          contents = contents.replace(patch.find, () => patch.replace);
          patches.delete(patch);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}
