import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from './bundle/bundle-options.ts';
import { bundledPackages } from './bundle/bundled-packages.ts';

/** Bundles the package in the current directory: `src/main.ts` becomes `dist/main.js` with every dependency inside `dist`. */
rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({ ...bundleOptions, entryPoints: ['src/main.ts'], outdir: 'dist' });

// Who has the bundle alone can still say what is in it.
writeFileSync('dist/packages.json', JSON.stringify(bundledPackages(metafile), null, 2));

// Images with a compile cache make it with this.
copyFileSync(join(import.meta.dirname, 'bundle/fill-compile-cache.mjs'), 'dist/fill-compile-cache.mjs');
