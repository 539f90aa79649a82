import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256 over parts whose borders count. */
export function digestOf(parts: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${part.byteLength}:`).update(part);
  }
  return hash.digest('hex');
}

/** Names and contents of all files below a folder, in a stable order. */
export function folderContents(folder: string): Uint8Array[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return files.flatMap((file) => [Buffer.from(file.slice(folder.length)), readFileSync(file)]);
}
