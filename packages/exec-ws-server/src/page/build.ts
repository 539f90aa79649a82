import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Puts the page's files into a folder: `node src/page/build.ts FOLDER` */
export async function buildPage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: ['shell.ts', 'shell.css'].map((file) => join(import.meta.dirname, file)),
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: ['chrome110', 'firefox115', 'safari16'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const file of ['shell.html', 'icon.svg']) {
    cpSync(join(import.meta.dirname, file), join(folder, file));
  }
}

const [, script, folder] = process.argv;
if (script === import.meta.filename && folder !== undefined) {
  await buildPage(folder);
}
