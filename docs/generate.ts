import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { AnyOptionTable } from '../packages/service-kit/src/options/option-table.ts';
import { commandLines } from './generate/command-lines.ts';
import { configReference } from './generate/config-reference.ts';
import { errorReference } from './generate/error-codes.ts';
import { withExamples } from './generate/example-text.ts';
import { featurePageList, featureTable } from './generate/feature-table.ts';
import { replaceSection } from './generate/markdown.ts';
import { metricsReference } from './generate/metrics-reference.ts';
import { optionTable } from './generate/option-table.ts';
import { packageTable } from './generate/package-table.ts';
import { type OpenApiDocument, routeTable } from './generate/route-table.ts';

/**
 * Writes what the documentation says about options, routes, configuration, errors and metrics, from the code itself, and the
 * examples that it shows.
 *
 *   node docs/generate.ts [--check]
 *
 * `--check` writes nothing and fails when a page is not what it would be.
 */
const openApiFolder = 'docs/reference/openapi';

/** What each service's `options.ts` and `open-api.ts` export. */
interface Service {
  options: AnyOptionTable;
  openApiDocument(version: string): object;
}

const root = join(import.meta.dirname, '..');
const stale: string[] = [];
for (const manifest of globSync('packages/*/image.json', { cwd: root }).sort()) {
  const folder = join(root, dirname(manifest));
  const name = basename(folder);
  const modules = await Promise.all(
    ['options.ts', 'open-api.ts'].map((file): Promise<object> => import(join(folder, 'src', file))),
  );
  const { options, openApiDocument } = Object.assign({}, ...modules) as Service;
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const document = openApiDocument(version);
  put(join(root, openApiFolder, `${name}.json`), `${JSON.stringify(document, null, 2)}\n`);
  const readme = join(folder, 'README.md');
  const withOptions = replaceSection(readFileSync(readme, 'utf8'), 'options', optionTable(name, options));
  const table = routeTable(document as OpenApiDocument, `../../${openApiFolder}/${name}.json`);
  put(readme, replaceSection(withOptions, 'routes', table));
}
section('README.md', 'packages', packageTable(root));
section('README.md', 'features', featureTable(root));
section('docs/README.md', 'pages', featurePageList(root));
for (const page of globSync(['docs/*.md', 'docs/features/*.md'], { cwd: root })) {
  const file = join(root, page);
  put(file, withExamples(readFileSync(file, 'utf8')));
}
reference('configuration', 'Configuration of the worker', configReference());
reference('command-line', 'Command line', commandLines());
reference('errors', 'Errors of the proxies', errorReference());
reference('metrics', 'Metrics', metricsReference());
if (stale.length > 0) {
  process.stderr.write(`out of date, run "npm run docs": ${stale.join(', ')}\n`);
  process.exitCode = 1;
}

function reference(name: string, title: string, text: string): void {
  const page = `docs/reference/${name}.md`;
  if (!current(page).startsWith(`# ${title}\n`)) throw new Error(`${page} must begin with "# ${title}"`);
  section(page, 'generated', text);
}

function section(page: string, name: string, text: string): void {
  put(join(root, page), replaceSection(current(page), name, text));
}

function current(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

function put(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  if (process.argv.includes('--check')) stale.push(relative(root, file));
  else writeFileSync(file, text);
}
