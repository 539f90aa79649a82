import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const types: Record<string, string> = {
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

/** Script and style of the pages, as they were built; `undefined` for any other name. */
export async function pageFile(name: string): Promise<{ type: string; content: Buffer } | undefined> {
  const type = types[name];
  return type === undefined ? undefined : { type, content: await readFile(join(builtFolder(), name)) };
}

/** Beside the bundle, or where the build puts it when the sources run. */
function builtFolder(): string {
  const candidates = [join(import.meta.dirname, 'page'), join(import.meta.dirname, '../../dist/page')];
  return candidates.find((folder) => existsSync(join(folder, 'page.js'))) ?? (candidates[0] as string);
}
