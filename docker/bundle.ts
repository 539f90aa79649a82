import { build } from 'esbuild';

/**
 * Bundles the package in the current directory: `src/main.ts` becomes `dist/main.js`, one ES module with
 * every dependency inside, which is all that an image or an installation needs beside Node itself.
 */
await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/main.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay readable in stack traces; white space is what costs start-up time.
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS dependencies call require() for Node's own modules.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
