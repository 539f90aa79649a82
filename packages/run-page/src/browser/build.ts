import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Puts the pages' own files into a folder: `node src/browser/build.ts FOLDER` */
export async function buildPage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: ['page.ts', 'page.css'].map((file) => join(import.meta.dirname, file)),
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  cpSync(join(import.meta.dirname, 'icon.svg'), join(folder, 'icon.svg'));
}

if (import.meta.main) {
  const [, , folder = 'dist/page'] = process.argv;
  await buildPage(folder);
}
