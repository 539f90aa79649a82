import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { featuresOf } from '../../packages/worker/src/features/index.ts';
import { code, table, withCode } from './markdown.ts';

/** What tasks can ask for by a name, with links to the pages, which lie in `docs/features`. */
export function featureTable(root: string): string {
  const pages = featurePages(root);
  const rows = featuresOf()
    .filter(({ askedBy }) => askedBy === undefined)
    .map(({ name, description = '', defaultOn, enabledUnlessConfigured = true }) => {
      const page = pages.find(({ text }) => new RegExp(`payload\\.features\\.${name}\\b`).test(text));
      const label = page ? `[${code(name)}](docs/features/${page.file})` : code(name);
      const state = defaultOn ? 'on by default' : 'on request';
      return [label, withCode(description), enabledUnlessConfigured ? state : 'where the worker offers it'];
    });
  return table(['feature', 'is', 'state'], rows);
}

/** Links to all pages about what tasks can ask for, from `docs`. */
export function featurePageList(root: string): string {
  return featurePages(root)
    .map(({ file, title }) => `- [${title}](features/${file})`)
    .join('\n');
}

function featurePages(root: string) {
  return globSync('docs/features/*.md', { cwd: root })
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const title = /^# (.*)/.exec(text)?.[1] ?? '';
      return { file: basename(path), text, title };
    });
}
