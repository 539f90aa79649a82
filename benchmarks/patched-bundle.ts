import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundleOptions } from '../docker/bundle/bundle-options.ts';

const root = join(import.meta.dirname, '..');

/** Replaces a text of a source file, which must be there. */
export interface Patch {
  /** From the root of the repository. */
  file: string;
  find: string;
  replace: string;
}

/** What a bundle lacks. */
export interface LeftOut {
  name: string;
  patches?: readonly Patch[];
  /** Plugins of the bundle that are left out. */
  plugins?: readonly string[];
}

/** Bundles a package of the repository as for its image, but for one thing, and gives the path of what is to be run. */
export async function bundleWithout(
  { name, patches = [], plugins = [] }: LeftOut,
  packageName: string,
  folder: string,
): Promise<string> {
  const unused = new Set(patches);
  await build({
    ...bundleOptions,
    absWorkingDir: join(root, 'packages', packageName),
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
