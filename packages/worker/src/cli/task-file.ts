import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { resolve } from 'node:path/posix';
import { text } from 'node:stream/consumers';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import { found, quoted, valueAt } from '../payload/found.ts';
import { nearestName } from '../payload/nearest-name.ts';
import { parsePayload, unknownFeatures } from '../payload/parse-payload.ts';
import type { PayloadSchema } from '../payload/payload.ts';
import { keysOf, schemaAt } from '../payload/schema-at.ts';
import { schemaProblems } from '../payload/schema-messages.ts';
import { type Problem, problemLine, problemPath } from '../problem.ts';
import { UserError } from '../user-error.ts';
import { DefinitionFields } from './definition-schema.ts';
import { renderTemplate, type TemplateContext } from './render-template.ts';

/** One document of a task file. */
export interface TaskDocument {
  /** `metadata.name`, else made of the file's name. */
  name: string;
  /** As it is written; it has no problems that can be known without a worker. */
  payload: unknown;
  /** What the document says about the task beside its payload. */
  task: DefinitionFields;
}

/** The message is one text for the person who wrote the file, one line per problem. */
export class TaskFileError extends UserError {
  constructor(message: string) {
    super(message);
    this.name = 'TaskFileError';
  }
}

/**
 * Reads the tasks of a YAML or JSON file, or of standard input for `-`. Each document of the file is a task
 * definition or just its payload. Throws {@link TaskFileError} with everything that is wrong.
 *
 * @param schema of the payloads
 * @param context for documents that are JSON-e templates
 */
export async function readTaskFile(
  path: string,
  schema: PayloadSchema,
  context?: TemplateContext,
): Promise<TaskDocument[]> {
  const file = path === '-' ? 'standard input' : path;
  const source = await read(path);
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source, { lineCounter: lines, merge: true, prettyErrors: false });
  const documents = [...parsed].filter((document) => document.errors.length > 0 || hasContent(document));
  if (documents.length === 0) {
    throw new TaskFileError(
      `${file}: empty; write a task definition, or a payload with image and maxRunTime`,
    );
  }
  const stem = path === '-' ? 'task' : basename(path, extname(path));
  const results = documents.map((document, index) => {
    const fallback = documents.length === 1 ? stem : `${stem}-${index + 1}`;
    const at = (keys: readonly PropertyKey[]) => position(file, lines, document, keys);
    return readDocument(document, fallback, schema, at, context);
  });
  const messages = documents.flatMap((document, index) => [
    ...syntaxErrors(document, source, lines).map((error) => `${file}:${error}`),
    ...(results[index]?.messages ?? []),
  ]);
  if (messages.length > 0) {
    throw new TaskFileError(messages.join('\n'));
  }
  return results.flatMap(({ task }) => task ?? []);
}

async function read(path: string): Promise<string> {
  if (path === '-') {
    return await text(process.stdin);
  }
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'no such file; give the path of a YAML or JSON file, or "-" to read standard input',
      EISDIR: 'is a directory; give the path of a file in it',
      EACCES: 'may not be read; check its permissions',
    };
    throw new TaskFileError(`${path}: ${reasons[code ?? ''] ?? message}`);
  }
}

/** As `line:column: text`; of errors only the first, since most others follow from it. */
function syntaxErrors(document: Document.Parsed, source: string, lines: LineCounter): string[] {
  const first = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  if (first !== undefined && /^\s*\{\s*"/.test(source)) {
    return [jsonError(source) ?? located(first)];
  }
  return (first === undefined ? document.warnings : [first]).map(located);

  function located({ message, pos: [offset] }: YAMLError): string {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}: not valid YAML: ${message}`;
  }
}

/** What is wrong with JSON, of which a YAML parser gives a strange account. */
function jsonError(source: string): string | undefined {
  try {
    JSON.parse(source);
  } catch (error) {
    const match = /^(.*) in JSON at position \d+ \(line (\d+) column (\d+)\)$/.exec((error as Error).message);
    return match === null ? undefined : `${match[2]}:${match[3]}: not valid JSON: ${match[1]}`;
  }
  return undefined;
}

function hasContent({ contents }: Document.Parsed): boolean {
  return contents !== null && !(isScalar(contents) && contents.value === null);
}

function readDocument(
  document: Document.Parsed,
  fallbackName: string,
  schema: PayloadSchema,
  at: (keys: readonly PropertyKey[]) => string,
  context: TemplateContext | undefined,
): { task?: TaskDocument; messages: string[] } {
  if (document.errors.length > 0) {
    return { messages: [] };
  }
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    return { messages: [`${at([])}: not valid YAML: ${(error as Error).message}`] };
  }
  const rendered = renderTemplate(written, context);
  if ('problem' in rendered) {
    const { problem } = rendered;
    return { messages: [`${at(problem.keys ?? [])}: ${problemLine(problem)}`] };
  }
  const { content } = rendered;
  const problems = documentProblems(content, schema);
  if (problems.length > 0) {
    return { messages: problems.map((problem) => `${at(problem.keys ?? [])}: ${problemLine(problem)}`) };
  }
  const { payload, ...task } = asDefinition(content as Record<string, unknown>);
  return { messages: [], task: { name: task.metadata?.name ?? fallbackName, payload, task } };
}

function documentProblems(content: unknown, schema: PayloadSchema): Problem[] {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    const message = `found ${found(content)}, expected a task definition or a payload, which is a mapping`;
    return [{ path: '', message }];
  }
  const keys = Object.keys(content);
  if (keys.includes('payload')) {
    return definitionProblems(content as Record<string, unknown>, schema);
  }
  if (keys.some((key) => Object.hasOwn(schema.shape, key))) {
    return payloadProblems(content, schema, {}, '', []);
  }
  const nearest = keys
    .map((key) => ({ key, meant: nearestName(key, ['payload', 'image']) }))
    .find(({ meant }) => meant !== undefined);
  const hint = nearest === undefined ? '' : `; did you mean '${nearest.meant}' by ${quoted(nearest.key)}?`;
  return [{ path: '', message: `neither a task definition with payload nor a payload with image${hint}` }];
}

function definitionProblems({ payload, ...task }: Record<string, unknown>, schema: PayloadSchema): Problem[] {
  const issues = DefinitionFields.safeParse(task).error?.issues ?? [];
  const expires = typeof task.expires === 'string' ? task.expires : undefined;
  return [
    ...schemaProblems(issues, { schema: DefinitionFields, document: task, root: '' }),
    ...payloadProblems(payload, schema, { expires }, 'payload', ['payload']),
  ];
}

function payloadProblems(
  payload: unknown,
  schema: PayloadSchema,
  task: { expires?: string },
  root: string,
  above: string[],
): Problem[] {
  const problems = [
    ...parsePayload(payload, schema, task, root).problems,
    ...unknownFeatures(payload, schema).map((name) => unknownFeature(name, schema, root)),
    ...relativePaths(payload, root),
  ];
  return problems.map((problem) => ({ ...problem, keys: [...above, ...(problem.keys ?? [])] }));
}

function unknownFeature(name: string, schema: PayloadSchema, root: string): Problem {
  const known = keysOf(schemaAt(schema, ['features']));
  const nearest = nearestName(name, known);
  const mend =
    nearest === undefined ? `remove it; known are ${known.join(', ')}` : `did you mean '${nearest}'?`;
  const keys = ['features', name];
  return { path: problemPath(root, keys), keys, message: `unknown feature; ${mend}` };
}

/** A worker takes them from `/`, which is hardly what somebody meant who wrote one here. */
function relativePaths(payload: unknown, root: string): Problem[] {
  const artifacts = valueAt(payload, ['artifacts']);
  const names = typeof artifacts === 'object' && artifacts !== null ? Object.keys(artifacts) : [];
  return names.flatMap((name) => {
    const keys = ['artifacts', name, 'path'];
    const path = valueAt(payload, keys);
    if (typeof path !== 'string' || path.startsWith('/')) {
      return [];
    }
    const message = `found ${found(path)}, expected a path from the container's root; write ${resolve('/', path)}, or where the task really puts it`;
    return [{ path: problemPath(root, keys), keys, message }];
  });
}

function asDefinition(content: Record<string, unknown>): DefinitionFields & { payload: unknown } {
  return Object.hasOwn(content, 'payload')
    ? (content as DefinitionFields & { payload: unknown })
    : { payload: content };
}

/** `file:line:column` of the deepest part of the document that is on the way to `keys`. */
function position(
  file: string,
  lines: LineCounter,
  document: Document.Parsed,
  keys: readonly PropertyKey[],
): string {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const key of keys) {
    if (isAlias(node)) {
      node = node.resolve(document);
    }
    if (isMap<Node, Node | null>(node)) {
      const pair: Pair<Node, Node | null> | undefined = node.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(key),
      );
      offset = pair?.key.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq<Node>(node)) {
      node = node.items[Number(key)];
      offset = node?.range?.[0] ?? offset;
    } else {
      break;
    }
  }
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}
