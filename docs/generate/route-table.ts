import { code, table } from './markdown.ts';

/** What the generator reads of an OpenAPI document. */
export interface OpenApiDocument {
  paths: Record<string, Record<string, unknown>>;
}

interface Operation {
  summary: string;
  responses: Record<string, unknown>;
}

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

/** The routes of an OpenAPI document; those of the admin listener come last, by themselves. */
export function routeTable({ paths }: OpenApiDocument, link: string): string {
  const entries = Object.entries(paths);
  const own = entries.filter(([, item]) => item.servers === undefined).flatMap(rows);
  const admin = entries.filter(([, item]) => item.servers !== undefined).flatMap(rows);
  return [
    table(head, own),
    'On the admin listener, another address and port (`--admin-address`, `--admin-port`):',
    table(head, admin),
    `All of it with schemas of the bodies, as an OpenAPI document: [${link.split('/').at(-1)}](${link}).`,
  ].join('\n\n');
}

const head = ['request', 'does', 'answers'];

function rows([path, item]: [string, Record<string, unknown>]): string[][] {
  const given = methods.filter((method) => method in item);
  // What is passed on, whatever the method.
  const shown = given.length === methods.length ? ['any'] : given;
  return shown.map((method) => {
    const { summary, responses } = item[method === 'any' ? 'get' : method] as Operation;
    return [code(`${method === 'any' ? method : method.toUpperCase()} ${path}`), summary, answers(responses)];
  });
}

function answers(responses: Record<string, unknown>): string {
  const statuses = Object.keys(responses).filter((status) => status !== 'default');
  return 'default' in responses ? `what it is told; else ${statuses.join(', ')}` : statuses.join(', ');
}
