import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Checks that every package which the lockfile names is under a licence that this repository accepts.
 *
 *   node checks/licences.ts
 */
const root = join(import.meta.dirname, '..');

/** What may be part of a program or an image that is published. */
const accepted = new Set([
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'CC0-1.0', 'ISC', 'MIT'],
  ...['MPL-2.0', 'Unlicense'],
]);
/** What may also be used to build and test: texts and tools that are not handed on. */
const acceptedForBuilding = new Set(['CC BY-SA 4.0', 'CC-BY-3.0', 'CC-BY-4.0', 'Python-2.0', 'WTFPL']);

interface Locked {
  license?: string;
  dev?: boolean;
  link?: boolean;
}

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const refused = Object.entries(packages)
  .filter(([path, { link }]) => path.includes('node_modules/') && !link)
  .map(([path, locked]) => ({ path, dev: locked.dev ?? false, licence: locked.license ?? statedIn(path) }))
  .filter(({ dev, licence }) => !isAccepted(licence, dev));
for (const { path, licence } of refused) {
  process.stderr.write(
    `${path}: ${licence ?? 'no licence is stated'}: do without it, or accept it in checks/licences.ts\n`,
  );
}
process.exitCode = refused.length > 0 ? 1 : 0;

/** Some state it in the way of old, which npm does not write into the lockfile. */
function statedIn(path: string): string | undefined {
  const file = join(root, path, 'package.json');
  const { licenses = [] } = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { licenses?: { type: string }[] })
    : {};
  return licenses.length === 0 ? undefined : licenses.map(({ type }) => type).join(' OR ');
}

/** Of alternatives one is enough, of a sum all are wanted; what has both is not understood. */
function isAccepted(expression: string | undefined, dev: boolean): boolean {
  const isIn = (licence: string) => accepted.has(licence) || (dev && acceptedForBuilding.has(licence));
  const parts = expression?.replaceAll(/[()]/g, '').split(/ (AND|OR) /) ?? [''];
  const [licences, operators] = [
    parts.filter((_, at) => at % 2 === 0),
    new Set(parts.filter((_, at) => at % 2 === 1)),
  ];
  if (operators.size > 1) {
    return false;
  }
  return operators.has('OR') ? licences.some(isIn) : licences.every(isIn);
}
