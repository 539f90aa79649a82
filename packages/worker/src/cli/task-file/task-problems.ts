import { resolve } from 'node:path/posix';
import { found, quoted, valueAt } from '../../payload/found.ts';
import { nearestName } from '../../payload/nearest-name.ts';
import { parsePayload, unknownFeatures } from '../../payload/parse-payload.ts';
import type { PayloadSchema } from '../../payload/payload.ts';
import { keysOf, schemaAt } from '../../payload/schema-at.ts';
import { schemaProblems } from '../../payload/schema-messages.ts';
import { type Problem, problemPath } from '../../problem.ts';
import { DefinitionFields } from './definition-schema.ts';

/** What is wrong with a task definition or a payload, as far as it can be known without a worker. */
export function taskProblems(content: unknown, schema: PayloadSchema): Problem[] {
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
