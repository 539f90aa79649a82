import jsone from 'json-e';
import { type Problem, problemPath } from '../../problem.ts';

/** Values that a template may name. */
export type TemplateContext = Record<string, unknown>;

const operators = new Set(
  '$eval $flatten $flattenDeep $if $json $let $map $reduce $find $match $switch $merge $mergeDeep $reverse $sort'.split(
    ' ',
  ),
);

/**
 * A document with its JSON-e rendered. Without an operator or a context it is none, and its `${…}` are left to shells: then
 * only `{$fromNow: …}` becomes a time, which definitions that are no templates have as well.
 */
export function renderTemplate(
  document: unknown,
  context: TemplateContext | undefined,
): { content: unknown } | { problem: Problem } {
  try {
    const isTemplate = context !== undefined || usesOperator(document);
    return { content: isTemplate ? jsone(document as object, context ?? {}) : withTimes(document) };
  } catch (error) {
    if (error instanceof TypeError) {
      return { problem: { path: '', keys: [], message: 'not valid JSON-e: an expression ends too early' } };
    }
    const { message, location = [] } = error as { message: string; location?: string[] };
    const keys = location.map(keyOf);
    const unknown = /^unknown context value (\w+)$/.exec(message)?.[1];
    const mend =
      unknown === undefined
        ? ''
        : `; give it by --context ${unknown}=VALUE, or write $\${…} for what is no template's`;
    return { problem: { path: problemPath('', keys), keys, message: `not valid JSON-e: ${message}${mend}` } };
  }
}

function usesOperator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const keys = Array.isArray(value) ? [] : Object.keys(value);
  return keys.some((key) => operators.has(key)) || Object.values(value).some(usesOperator);
}

function withTimes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(withTimes);
  }
  if (Object.hasOwn(value, '$fromNow')) {
    return jsone(value, {});
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withTimes(inner)]));
}

/** Of a part of the place of an error: `.key`, `["key"]` or `[0]`. */
function keyOf(part: string): PropertyKey {
  return part.startsWith('.') ? part.slice(1) : JSON.parse(part)[0];
}
