import type { z } from 'zod';
import { type Problem, problemLine, problemPath } from '../problem.ts';
import { found, quoted, valueAt } from './found.ts';
import { imageObjects } from './image.ts';
import { nearestName } from './nearest-name.ts';
import { exampleOf, keysOf, placesOf, schemaAt } from './schema-at.ts';

/** The document that a schema refused. */
export interface Refused {
  schema: z.core.$ZodType;
  document: unknown;
  /** What people call the document; the start of every path. */
  root: string;
}

/** What zod found wrong, worded for the person who wrote the document. */
export function schemaProblems(issues: readonly z.core.$ZodIssue[], refused: Refused): Problem[] {
  return issues.flatMap((issue) => problemsOf(issue, refused));
}

/** The text of the log's error line for a payload that was refused. */
export function malformedPayloadText(problems: readonly Problem[]): string {
  const messages = problems.map((problem) => {
    const line = problemLine(problem);
    return problem.rule === undefined ? line : `${problem.rule} (${line})`;
  });
  return `\`task.payload\` format is invalid json schema errors:\n${JSON.stringify(messages, null, 2)}`;
}

function problemsOf(issue: z.core.$ZodIssue, refused: Refused): Problem[] {
  const keys = issue.path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...keys, key], refused));
  }
  const value = valueAt(refused.document, keys);
  if (value === undefined && keys.length > 0) {
    return [missing(keys, refused)];
  }
  if (issue.code === 'invalid_union') {
    return imageProblems(keys, value, refused);
  }
  const broken = brokenRule(issue, value, exampleOf(schemaAt(refused.schema, keys)));
  return [problem(keys, broken.message, `${pointer(keys)} ${broken.rule}`, refused)];
}

function problem(keys: readonly PropertyKey[], message: string, rule: string, { root }: Refused): Problem {
  return { path: problemPath(root, keys), message, keys, rule };
}

function unknownKey(keys: readonly PropertyKey[], refused: Refused): Problem {
  const around = keys.slice(0, -1);
  const name = String(keys.at(-1));
  const known = keysOf(schemaAt(refused.schema, around));
  const nearest = nearestName(name, known);
  const elsewhere = placesOf(name, refused.schema).find((place) => place.length > 0);
  const mend =
    elsewhere !== undefined && nearest === undefined
      ? `move it into ${problemPath(refused.root, elsewhere)}`
      : nearest !== undefined
        ? `did you mean '${nearest}'?`
        : `remove it; known are ${known.join(', ')}`;
  const rule = `${pointer(around)} should NOT have additional properties`;
  return problem(keys, `unknown key; ${mend}`, rule, refused);
}

function missing(keys: readonly PropertyKey[], refused: Refused): Problem {
  const example = exampleOf(schemaAt(refused.schema, keys));
  const name = String(keys.at(-1));
  const mend = `add it${example === undefined ? '' : `, for example ${name}: ${example}`}`;
  const rule = `${pointer(keys.slice(0, -1))} should have required property '${name}'`;
  return problem(keys, `missing; ${mend}`, rule, refused);
}

/** A value that is there and is wrong. */
function brokenRule(
  issue: z.core.$ZodIssue,
  value: unknown,
  example: unknown,
): { message: string; rule: string } {
  const { type, minimum, format } = issue.code === 'custom' ? (issue.params ?? {}) : {};
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String);
    const nearest = typeof value === 'string' ? nearestName(value, allowed) : undefined;
    const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    return {
      message: `found ${found(value)}, expected one of ${allowed.join(', ')}${hint}`,
      rule: 'should be equal to one of the allowed values',
    };
  }
  if (minimum !== undefined) {
    return {
      message: `found ${found(value)}, expected at least ${minimum}`,
      rule: `should be >= ${minimum}`,
    };
  }
  if (format !== undefined) {
    return {
      message: `found ${found(value)}, expected a date with time and zone such as ${example}`,
      rule: `should match format "${format}"`,
    };
  }
  const expected = type ?? (issue.code === 'invalid_type' ? issue.expected : undefined);
  if (expected === undefined) {
    const { message } = (issue.code === 'invalid_key' && issue.issues[0]) || issue;
    return { message, rule: message };
  }
  const name = expected === 'record' ? 'object' : String(expected);
  return {
    message: `found ${found(value)}, expected ${kinds[name] ?? name}${mended(name, value, example)}`,
    rule: `should be ${name}`,
  };
}

const kinds: Record<string, string> = {
  string: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'a mapping',
};

/** How to write what was probably meant. */
function mended(expected: string, value: unknown, example: unknown): string {
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `; write it in quotes: "${value}"`;
  }
  if (expected === 'boolean' && typeof value === 'string' && /^(true|false)$/i.test(value)) {
    return `; write ${value.toLowerCase()} without quotes`;
  }
  if (expected === 'integer' && typeof value === 'string' && /^-?\d+$/.test(value)) {
    return `; write ${value} without quotes`;
  }
  if (expected === 'array' && typeof value === 'string') {
    return `; write [${quoted(value)}]`;
  }
  return example === undefined ? '' : ` such as ${example}`;
}

/** Of all that an image may be, only what this one was meant to be is worth a message. */
function imageProblems(keys: readonly PropertyKey[], value: unknown, refused: Refused): Problem[] {
  const rule = `${pointer(keys)} should match exactly one schema in oneOf`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = `found ${found(value)}, expected the name of a Docker image such as ubuntu:24.04, or a mapping with type`;
    return [problem(keys, message, rule, refused)];
  }
  const types = Object.keys(imageObjects);
  const { type } = value as { type?: unknown };
  const schema =
    typeof type === 'string' && types.includes(type) ? imageObjects[type as ImageType] : undefined;
  if (schema === undefined) {
    const nearest = typeof type === 'string' ? nearestName(type, types) : undefined;
    const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    const at = type === undefined ? 'missing' : `found ${found(type)}`;
    return [problem([...keys, 'type'], `${at}, expected one of ${types.join(', ')}${hint}`, rule, refused)];
  }
  const issues = schema.safeParse(value).error?.issues ?? [];
  const root = problemPath(refused.root, keys);
  return schemaProblems(issues, { schema, document: value, root }).map((inner) => ({
    ...inner,
    keys: [...keys, ...(inner.keys ?? [])],
    rule,
  }));
}

type ImageType = keyof typeof imageObjects;

/** A place as JSON-schema validators name it: `data/artifacts/public~1a.txt`. */
function pointer(keys: readonly PropertyKey[]): string {
  return ['data', ...keys.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');
}
