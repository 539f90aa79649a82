import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import { z } from 'zod';

const Manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().optional(),
});

/** A package of which something is in a bundle. */
export type BundledPackage = z.infer<typeof Manifest>;
export const BundledPackages = z.array(Manifest);

/** The packages that files of a bundle come from, this repository's own left out; sorted by name. */
export function bundledPackages({ outputs }: Metafile): BundledPackage[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = new Set(
    inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  );
  return [...folders]
    .map((folder) => Manifest.parse(JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8'))))
    .sort((a, b) => (a.name + a.version < b.name + b.version ? -1 : 1));
}
