import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundledPackages } from './bundled-packages.ts';
import { deferRequires } from './deferred-requires.ts';
import { lazyBuiltins } from './lazy-builtins.ts';

/**
 * Bundles the package in the current directory: `src/main.ts` becomes `dist/main.js` with every
 * dependency inside `dist`, which is all that an image or an installation needs beside Node itself.
 */
const oldestNode = 24;
rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  // What is imported dynamically stays in files of its own: a command loads what it needs, and a compile
  // cache that the entry switches on covers the rest.
  splitting: true,
  bundle: true,
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: `node${oldestNode}`,
  legalComments: 'none',
  // Less to read at each start. Names stay as they are, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
  plugins: [lazyBuiltins(), deferRequires()],
  // Native accelerators that their packages do without when they cannot be loaded.
  external: ['*.node'],
  // What CommonJS dependencies find in their scope.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const __filename = import.meta.filename;',
      'const __dirname = import.meta.dirname;',
      // Runs before the bundle's own code and needs nothing that an old Node lacks.
      `if (parseInt(process.versions.node) < ${oldestNode}) {`,
      `  console.error('This needs Node ${oldestNode} or newer, from nodejs.org, and was started by ' + process.version + '.');`,
      '  process.exit(1);',
      '}',
    ].join('\n'),
  },
});

// Who has the bundle alone can still say what is in it.
writeFileSync('dist/packages.json', JSON.stringify(bundledPackages(metafile), null, 2));

// Images with a compile cache make it with this.
copyFileSync(join(import.meta.dirname, 'fill-compile-cache.mjs'), 'dist/fill-compile-cache.mjs');
