import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Requirements of dockerode that cost more to load than all the rest of it, and that only image builds and
 * engines behind SSH ever use: they are loaded when they are first called.
 */
const deferred = [
  { file: /dockerode\/lib\/docker\.js$/, required: "require('./session')" },
  { file: /docker-modem\/lib\/modem\.js$/, required: "require('./ssh')" },
];

/**
 * Bundles the package in the current directory: `src/main.ts` becomes `dist/main.js` with every
 * dependency inside `dist`, which is all that an image or an installation needs beside Node itself.
 */
rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  // What is imported dynamically stays in files of its own: a command loads what it needs, and a compile
  // cache that the entry switches on covers the rest.
  splitting: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: deferred.map(deferRequire),
  // Native accelerators that their packages do without when they cannot be loaded.
  external: ['*.node'],
  // What CommonJS dependencies find in their scope.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const __filename = import.meta.filename;',
      'const __dirname = import.meta.dirname;',
    ].join('\n'),
  },
});

// Images with a compile cache make it with this.
copyFileSync(join(import.meta.dirname, 'fill-compile-cache.mjs'), 'dist/fill-compile-cache.mjs');

function deferRequire({ file, required }: (typeof deferred)[number]): Plugin {
  return {
    name: `defer ${required}`,
    setup({ onLoad }) {
      onLoad({ filter: file }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        if (!source.includes(required)) {
          throw new Error(`${path} does not contain ${required}: see whether it still must be deferred`);
        }
        return { contents: source.replace(required, `((...all) => ${required}(...all))`), loader: 'js' };
      });
    },
  };
}
