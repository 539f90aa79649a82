import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * Checks that what the Markdown pages of this repository link to within it exists: files, folders, headings.
 * Other sites are not asked.
 *
 *   node checks/links.ts
 */
const root = join(import.meta.dirname, '..');
const pages = globSync('{*.md,docs/**/*.md,packages/**/*.md,benchmarks/**/*.md,deploy/**/*.md}', {
  cwd: root,
  exclude: (path) => path.includes('node_modules'),
}).map((page) => join(root, page));
const broken = pages.flatMap(brokenLinks);
for (const { page, link } of broken) {
  process.stderr.write(`${relative(root, page)}: ${link} leads nowhere\n`);
}
process.exitCode = broken.length > 0 ? 1 : 0;

function brokenLinks(page: string): { page: string; link: string }[] {
  const links = [...withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, link = '']) => link,
  );
  return links
    .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(page, link))
    .map((link) => ({ page, link }));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? page : resolve(dirname(page), path);
  if (!existsSync(target)) return false;
  return heading === undefined || (statSync(target).isFile() && headings(target).has(heading));
}

/** The anchors that GitHub gives to the headings of a page. */
function headings(page: string): Set<string> {
  const titles = withoutCode(readFileSync(page, 'utf8')).matchAll(/^#+\s+(.+)$/gm);
  return new Set(
    [...titles].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '');
}
