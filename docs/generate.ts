import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { openApiDocument as execWsServerRoutes } from '../packages/exec-ws-server/src/open-api.ts';
import { options as execWsServer } from '../packages/exec-ws-server/src/options.ts';
import { openApiDocument as relengapiProxyRoutes } from '../packages/relengapi-proxy/src/open-api.ts';
import { options as relengapiProxy } from '../packages/relengapi-proxy/src/options.ts';
import type { AnyOptionTable } from '../packages/service-kit/src/options/option-table.ts';
import { openApiDocument as tcProxyRoutes } from '../packages/tc-proxy/src/open-api.ts';
import { options as tcProxy } from '../packages/tc-proxy/src/options.ts';
import { openApiDocument as testdroidProxyRoutes } from '../packages/testdroid-proxy/src/open-api.ts';
import { options as testdroidProxy } from '../packages/testdroid-proxy/src/options.ts';
import { openApiDocument as vpnProxyRoutes } from '../packages/vpn-proxy/src/open-api.ts';
import { options as vpnProxy } from '../packages/vpn-proxy/src/options.ts';
import { commandLines } from './generate/command-lines.ts';
import { configReference } from './generate/config-reference.ts';
import { errorReference } from './generate/error-codes.ts';
import { withExamples } from './generate/example-text.ts';
import { replaceSection } from './generate/markdown.ts';
import { metricsReference } from './generate/metrics-reference.ts';
import { optionTable } from './generate/option-table.ts';
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

interface Service {
  options: AnyOptionTable;
  routes(version: string): object;
}

const services: Record<string, Service> = {
  'exec-ws-server': { options: execWsServer, routes: execWsServerRoutes },
  'relengapi-proxy': { options: relengapiProxy, routes: relengapiProxyRoutes },
  'tc-proxy': { options: tcProxy, routes: tcProxyRoutes },
  'testdroid-proxy': { options: testdroidProxy, routes: testdroidProxyRoutes },
  'vpn-proxy': { options: vpnProxy, routes: vpnProxyRoutes },
};

const root = join(import.meta.dirname, '..');
const stale: string[] = [];
for (const [name, { options, routes }] of Object.entries(services)) {
  const folder = join(root, 'packages', name);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const document = routes(version);
  put(join(root, openApiFolder, `${name}.json`), `${JSON.stringify(document, null, 2)}\n`);
  const readme = join(folder, 'README.md');
  const withOptions = replaceSection(readFileSync(readme, 'utf8'), 'options', optionTable(name, options));
  const table = routeTable(document as OpenApiDocument, `../../${openApiFolder}/${name}.json`);
  put(readme, replaceSection(withOptions, 'routes', table));
}
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
  const file = join(root, 'docs', 'reference', `${name}.md`);
  const intro = readFileSync(file, 'utf8');
  if (!intro.startsWith(`# ${title}\n`)) throw new Error(`${file} must begin with "# ${title}"`);
  put(file, replaceSection(intro, 'generated', text));
}

function put(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  if (process.argv.includes('--check')) stale.push(relative(root, file));
  else writeFileSync(file, text);
}
