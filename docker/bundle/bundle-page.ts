import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

export interface PageFiles {
  /** Where the files below lie. */
  source: string;
  /** Bundled, with what they import. */
  entryPoints: readonly string[];
  /** Taken as they are. */
  copied: readonly string[];
  /** The oldest browsers that it works in, as esbuild names them. */
  target: string[];
}

/** Puts what a browser gets of a page into a folder. */
export async function bundlePage(
  { source, entryPoints, copied, target }: PageFiles,
  folder: string,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: entryPoints.map((file) => join(source, file)),
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const file of copied) cpSync(join(source, file), join(folder, file));
}
