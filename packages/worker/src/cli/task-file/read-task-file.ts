import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Document, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { PayloadSchema } from '../../payload/payload.ts';
import { type Problem, problemBelow, problemLine } from '../../problem.ts';
import { position } from '../../yaml-position.ts';
import type { DefinitionFields } from './definition-schema.ts';
import { selectTasks } from './graph/select-tasks.ts';
import { type TaskNode, taskGraph } from './graph/task-graph.ts';
import { syntaxErrors } from './syntax-errors.ts';
import { type TaskDocument, TaskFileError } from './task-document.ts';
import { type TaskParts, type TemplateValues, taskParts } from './task-parts.ts';
import { taskProblems } from './task-problems.ts';

export interface TaskFile {
  /** What a task needs stands before it. */
  tasks: TaskDocument[];
  /** What somebody should know of them before they run, one sentence each. */
  notices: string[];
}

/**
 * Reads the tasks of a YAML or JSON file, or of standard input for `-`. Each document of the file is a task
 * definition, just its payload, a list or a graph of tasks, or a `.taskcluster.yml`. Throws {@link TaskFileError} with everything that
 * is wrong with the tasks that are chosen.
 *
 * @param schema of the payloads
 * @param values `targets` are globs of the names of tasks; default: all
 */
export async function readTaskFile(
  path: string,
  schema: PayloadSchema,
  values: TemplateValues & { targets?: string[] } = {},
): Promise<TaskFile> {
  return await readTaskText(
    {
      file: path === '-' ? 'standard input' : path,
      stem: path === '-' ? 'task' : basename(path, extname(path)),
      text: await read(path),
    },
    schema,
    values,
  );
}

/** Text with tasks, and where it comes from. */
export interface TaskText {
  /** What messages call it. */
  file: string;
  /** Of names of tasks that have none. */
  stem: string;
  text: string;
}

/** As {@link readTaskFile}, of a text that is there. */
export async function readTaskText(
  { file, stem, text: source }: TaskText,
  schema: PayloadSchema,
  values: TemplateValues & { targets?: string[] } = {},
): Promise<TaskFile> {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source, { lineCounter: lines, merge: true, prettyErrors: false });
  const documents = [...parsed].filter((document) => document.errors.length > 0 || hasContent(document));
  if (documents.length === 0) {
    throw new TaskFileError(
      `${file}: empty; write a task definition, or a payload with image and maxRunTime`,
    );
  }
  const results = documents.map((document) => {
    const at = (keys: readonly PropertyKey[]) => {
      const { line, col } = position(lines, document, keys);
      return `${file}:${line}:${col}`;
    };
    return readDocument(document, at, values);
  });
  refuse(
    documents.flatMap((document, index) => [
      ...syntaxErrors(document, source, lines).map((error) => `${file}:${error}`),
      ...(results[index]?.messages ?? []),
    ]),
  );
  const places = new Map(results.flatMap(({ parts, at }) => parts.map((part) => [part, at] as const)));
  if (places.size === 0) {
    throw new TaskFileError(`${file}: has no tasks`);
  }
  const nodes = selectTasks(taskGraph([...places.keys()], stem), values.targets ?? []);
  refuse(
    nodes.flatMap((node) => problemsOf(node, schema).map((problem) => told(problem, places.get(node.part)))),
  );
  return {
    tasks: nodes.map(taskOf),
    notices: [...results.flatMap(({ notices }) => notices), ...nodes.flatMap(outsideText)],
  };
}

function refuse(messages: string[]): void {
  if (messages.length > 0) {
    throw new TaskFileError(messages.join('\n'));
  }
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

function hasContent({ contents }: Document.Parsed): boolean {
  return contents !== null && !(isScalar(contents) && contents.value === null);
}

/** `file:line:column` of a place in a document. */
type At = (keys: readonly PropertyKey[]) => string;

interface DocumentParts extends TaskParts {
  at: At;
  messages: string[];
}

function readDocument(document: Document.Parsed, at: At, values: TemplateValues): DocumentParts {
  const wrong = (messages: string[]) => ({ parts: [], notices: [], at, messages });
  if (document.errors.length > 0) {
    return wrong([]);
  }
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    return wrong([`${at([])}: not valid YAML: ${(error as Error).message}`]);
  }
  const parts = taskParts(written, values);
  return Array.isArray(parts)
    ? wrong(parts.map((problem) => told(problem, at)))
    : { ...parts, at, messages: [] };
}

function told(problem: Problem, at: At = () => ''): string {
  return `${at(problem.keys ?? [])}: ${problemLine(problem)}`;
}

function problemsOf({ part, content, problems }: TaskNode, schema: PayloadSchema): Problem[] {
  return problems.length > 0
    ? problems
    : taskProblems(content, schema).map((problem) => problemBelow(part.keys, problem));
}

/** @param node without problems */
function taskOf({ part, name, taskId, dependencies, content }: TaskNode): TaskDocument {
  const { payload, ...task } = asDefinition(content as Record<string, unknown>);
  const { kind } = part;
  return { name, taskId, dependencies, ...(kind === undefined ? {} : { kind }), payload, task };
}

function asDefinition(content: Record<string, unknown>): DefinitionFields & { payload: unknown } {
  return Object.hasOwn(content, 'payload')
    ? (content as DefinitionFields & { payload: unknown })
    : { payload: content };
}

function outsideText({ name, outside }: TaskNode): string[] {
  return outside.length === 0
    ? []
    : [`${name}: runs without the tasks that it depends on, which are not here: ${outside.join(', ')}`];
}
