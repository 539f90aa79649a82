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
  define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' },
  // Native accelerators that their packages do without when they cannot be loaded.
  external: ['*.node'],
  // What CommonJS dependencies find in their scope.
  banner: {
    js: [
      // Of this file's modules nearly all are in the bundle: that a `require` is made costs more than what it is asked for.
      "const require = (id) => process.getBuiltinModule(id) ?? process.getBuiltinModule('node:module').createRequire(import.meta.url)(id);",
      // Runs before the bundle's own code and needs nothing that an old Node lacks.
      `if (parseInt(process.versions.node) < ${oldestNode}) {`,
      `  console.error('This needs Node ${oldestNode} or newer, from nodejs.org, and was started by ' + process.version + '.');`,
      '  process.exit(1);',
      '}',
    ].join('\n'),
  },
} satisfies BuildOptions;
