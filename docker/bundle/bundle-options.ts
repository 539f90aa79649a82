import type { BuildOptions } from 'esbuild';
import { deferRequires } from './deferred-requires.ts';
import { lazyBuiltins } from './lazy-builtins.ts';

const oldestNode = 24;

/** For esbuild: every dependency inside of the bundle, which then needs nothing beside Node itself. */
export const bundleOptions = {
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
} satisfies BuildOptions;
