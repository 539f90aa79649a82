import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Document, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { PayloadSchema } from '../../payload/payload.ts';
import { type Problem, problemBelow, problemLine } from '../../problem.ts';
import { position } from '../../yaml-position.ts';
import type { DefinitionFields } from './definition-schema.ts';
import { syntaxErrors } from './syntax-errors.ts';
import { type TaskDocument, TaskFileError } from './task-document.ts';
import { type TaskPart, type TemplateValues, taskParts } from './task-parts.ts';
import { taskProblems } from './task-problems.ts';

export interface TaskFile {
  tasks: TaskDocument[];
  /** What somebody should know of them before they run, one sentence each. */
  notices: string[];
}

/**
 * Reads the tasks of a YAML or JSON file, or of standard input for `-`. Each document of the file is a task
 * definition, just its payload, or a `.taskcluster.yml`. Throws {@link TaskFileError} with everything that is wrong.
 *
 * @param schema of the payloads
 */
export async function readTaskFile(
  path: string,
  schema: PayloadSchema,
  values: TemplateValues = {},
): Promise<TaskFile> {
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
    const at = (keys: readonly PropertyKey[]) => {
      const { line, col } = position(lines, document, keys);
      return `${file}:${line}:${col}`;
    };
    return readDocument(document, fallback, schema, at, values);
  });
  const messages = documents.flatMap((document, index) => [
    ...syntaxErrors(document, source, lines).map((error) => `${file}:${error}`),
    ...(results[index]?.messages ?? []),
  ]);
  if (messages.length > 0) {
    throw new TaskFileError(messages.join('\n'));
  }
  return {
    tasks: results.flatMap(({ tasks }) => tasks),
    notices: results.flatMap(({ notices }) => notices),
  };
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

interface DocumentTasks extends TaskFile {
  messages: string[];
}

function readDocument(
  document: Document.Parsed,
  stem: string,
  schema: PayloadSchema,
  at: (keys: readonly PropertyKey[]) => string,
  values: TemplateValues,
): DocumentTasks {
  const wrong = (messages: string[]) => ({ tasks: [], notices: [], messages });
  if (document.errors.length > 0) {
    return wrong([]);
  }
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    return wrong([`${at([])}: not valid YAML: ${(error as Error).message}`]);
  }
  const told = (problem: Problem) => `${at(problem.keys ?? [])}: ${problemLine(problem)}`;
  const parts = taskParts(written, values);
  if (Array.isArray(parts)) {
    return wrong(parts.map(told));
  }
  const problems = parts.parts.flatMap(({ keys, content }) =>
    taskProblems(content, schema).map((problem) => problemBelow(keys, problem)),
  );
  if (problems.length > 0) {
    return wrong(problems.map(told));
  }
  const tasks = parts.parts.map((part, index) =>
    taskOf(part, parts.parts.length === 1 ? stem : `${stem}-${index + 1}`),
  );
  return { tasks, notices: parts.notices, messages: [] };
}

/** @param part without problems */
function taskOf({ content, taskId }: TaskPart, fallbackName: string): TaskDocument {
  const { payload, ...task } = asDefinition(content as Record<string, unknown>);
  const name = task.metadata?.name ?? fallbackName;
  return { name, ...(taskId === undefined ? {} : { taskId }), payload, task };
}

function asDefinition(content: Record<string, unknown>): DefinitionFields & { payload: unknown } {
  return Object.hasOwn(content, 'payload')
    ? (content as DefinitionFields & { payload: unknown })
    : { payload: content };
}
