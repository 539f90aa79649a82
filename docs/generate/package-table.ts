import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { table, withCode } from './markdown.ts';

/** The packages, and what their manifests say of them. */
export function packageTable(root: string): string {
  const rows = globSync('packages/*/package.json', { cwd: root })
    .sort()
    .map((path) => {
      const { description } = JSON.parse(readFileSync(join(root, path), 'utf8')) as { description?: string };
      if (description === undefined) throw new Error(`${path} has no description`);
      const folder = dirname(path);
      return [`[\`${basename(folder)}\`](${folder})`, withCode(description)];
    });
  return table(['package', 'is'], rows);
}
