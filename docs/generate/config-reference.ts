import { z } from 'zod';
import { ConfigFile } from '../../packages/worker/src/config-file/worker-config.ts';
import { code, table } from './markdown.ts';

/** What the generator reads of a JSON schema. */
interface Node {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  description?: string;
  default?: unknown;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  oneOf?: Node[];
  anyOf?: Node[];
}

/** Longest default that is shown in a table. */
const longestDefault = 60;

/** All keys of the worker's configuration file, as dotted paths; `<name>` stands for a name of one's own. */
export function configReference(): string {
  const schema = z.toJSONSchema(ConfigFile, { io: 'input' }) as Node;
  const rows = Object.entries(schema.properties ?? {}).flatMap(([key, node]) => rowsOf(key, node));
  return table(['key', 'type', 'default', 'is'], rows);
}

function rowsOf(path: string, node: Node): string[][] {
  const variants = node.oneOf ?? node.anyOf;
  if (variants?.every((variant) => variant.properties !== undefined)) {
    return [ownRow(path, node), ...variants.flatMap((variant) => variantRows(path, variant))];
  }
  const inner = Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    rowsOf(`${path}.${key}`, child),
  );
  const named = isNode(node.additionalProperties) ? rowsOf(`${path}.<name>`, node.additionalProperties) : [];
  const items = node.items?.properties ? rowsOf(`${path}[]`, node.items) : [];
  const children = [...inner, ...named, ...items];
  // A group says nothing that its keys do not say, unless it has a description of its own.
  return children.length > 0 && node.description === undefined ? children : [ownRow(path, node), ...children];
}

/** One of several forms of an object: told apart by the key that is constant in each. */
function variantRows(path: string, { properties = {} }: Node): string[][] {
  const [mark] = Object.entries(properties).filter(([, { const: constant }]) => constant !== undefined);
  if (mark === undefined)
    return Object.entries(properties).flatMap(([key, node]) => rowsOf(`${path}.${key}`, node));
  const [markKey, markNode] = mark;
  const label = `${path}(${markKey}: ${String(markNode.const)})`;
  const others = Object.entries(properties).filter(([key]) => key !== markKey);
  return [
    [code(label), 'object', '', markNode.description ?? ''],
    ...others.flatMap(([key, node]) => rowsOf(`${label}.${key}`, node)),
  ];
}

function ownRow(path: string, node: Node): string[] {
  return [code(path), typeText(node), defaultText(node.default), node.description ?? ''];
}

function typeText(node: Node): string {
  if (node.enum) return node.enum.map((value) => code(String(value))).join(' or ');
  if (node.const !== undefined) return code(String(node.const));
  const variants = node.oneOf ?? node.anyOf;
  if (variants) return [...new Set(variants.map(typeText))].join(' or ');
  return node.type === 'array' && node.items ? `list of ${typeText(node.items)}` : (node.type ?? 'any');
}

function defaultText(value: unknown): string {
  if (value === undefined || (typeof value === 'object' && JSON.stringify(value) === '{}')) return '';
  const text = JSON.stringify(value);
  return text.length > longestDefault ? code(`${text.slice(0, longestDefault - 3)}...`) : code(text);
}

function isNode(value: Node | boolean | undefined): value is Node {
  return typeof value === 'object' && Object.keys(value).length > 0;
}
