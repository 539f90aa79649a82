import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Checks that the tests which `test-list.md` names exist: their files, and in them the titles that follow a
 * colon, in which `…` stands for anything.
 *
 *   node checks/test-list.ts
 */
const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/test-list.md'), 'utf8');
const cells = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').at(-2) ?? '');
const references = cells
  .flatMap((cell) => cell.split(';'))
  .flatMap((part) => [...part.matchAll(/`(e2e|worker|packages)\/([\w/*-]+)`(?::([^`]*))?/g)]);
const wrong = references.flatMap(([, where = '', name = '', titles = '']) => problemsOf(where, name, titles));
for (const problem of wrong) {
  process.stderr.write(`docs/test-list.md: ${problem}\n`);
}
if (references.length === 0) {
  process.stderr.write('docs/test-list.md: no test is named in a form that this program knows\n');
}
process.exitCode = wrong.length > 0 || references.length === 0 ? 1 : 0;

function problemsOf(where: string, name: string, titles: string): string[] {
  if (where === 'packages') {
    return existsSync(join(root, 'packages', name)) ? [] : [`there is no packages/${name}`];
  }
  const files = globSync(join(root, 'packages', where, 'src', `${name}.test.ts`));
  if (files.length === 0) {
    return [`there is no ${where}/${name}.test.ts`];
  }
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  return titles
    .split('…')
    .map((piece) => piece.replace(/^[\s,]+|[\s,]+$/g, ''))
    .filter((piece) => piece !== '' && !text.includes(piece))
    .map((piece) => `no test of ${where}/${name} is called “${piece}”`);
}
