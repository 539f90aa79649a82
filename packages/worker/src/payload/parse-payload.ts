import { type Problem, problemPath } from '../problem.ts';
import { isDateTime } from './date-time.ts';
import { valueAt } from './found.ts';
import { nameProblems } from './name-problems.ts';
import type { Payload, PayloadSchema } from './payload.ts';
import { prototypeKeys } from './prototype-keys.ts';
import { keysOf, schemaAt } from './schema-at.ts';
import { schemaProblems } from './schema-messages.ts';

export type ParsedPayload =
  | { payload: Payload; problems: [] }
  | { payload: undefined; problems: [Problem, ...Problem[]] };

/**
 * Everything that is wrong with a payload, at once, or the payload with its defaults filled in; `raw` stays as
 * it is. Unknown features are no problem here: ask {@link unknownFeatures}. Without `task.expires` the
 * artifacts may expire at any time. `root` is what the problems' paths start with.
 */
export function parsePayload(
  raw: unknown,
  schema: PayloadSchema,
  task: { expires?: string },
  root = 'payload',
): ParsedPayload {
  const document = withoutUnknownFeatures(raw, schema);
  const parsed = schema.safeParse(document);
  const [first, ...more] = [
    ...schemaProblems(parsed.error?.issues ?? [], { schema, document, root }),
    ...prototypeKeys(raw, root),
    ...nameProblems(raw, root),
    ...expirationProblems(raw, task.expires, root),
    ...conflictingFeatures(raw, root),
  ];
  if (first !== undefined) {
    return { payload: undefined, problems: [first, ...more] };
  }
  return { payload: parsed.data as Payload, problems: [] };
}

/** Names in `payload.features` that the schema does not know. */
export function unknownFeatures(raw: unknown, schema: PayloadSchema): string[] {
  const known = keysOf(schemaAt(schema, ['features']));
  return Object.keys(mappingAt(raw, 'features')).filter((name) => !known.includes(name));
}

function withoutUnknownFeatures(raw: unknown, schema: PayloadSchema): unknown {
  const unknown = unknownFeatures(raw, schema);
  if (unknown.length === 0) {
    return raw;
  }
  const features = Object.entries(mappingAt(raw, 'features')).filter(([name]) => !unknown.includes(name));
  return { ...(raw as object), features: Object.fromEntries(features) };
}

function expirationProblems(raw: unknown, taskExpires: string | undefined, root: string): Problem[] {
  const latest = taskExpires === undefined ? Number.POSITIVE_INFINITY : Date.parse(taskExpires);
  return Object.keys(mappingAt(raw, 'artifacts')).flatMap((name) => {
    const keys = ['artifacts', name, 'expires'];
    const expires = valueAt(raw, keys);
    if (typeof expires !== 'string' || !isDateTime(expires)) {
      return [];
    }
    const time = Date.parse(expires);
    const wrong =
      time > latest
        ? `must not be greater than task expiration ${taskExpires}; choose an earlier time or leave it out`
        : time <= Date.now()
          ? 'is over; choose a later time, or leave it out for that of the task'
          : undefined;
    return wrong === undefined
      ? []
      : [{ path: problemPath(root, keys), message: `${expires} ${wrong}`, keys }];
  });
}

/** Both would be reached under the same name. */
function conflictingFeatures(raw: unknown, root: string): Problem[] {
  const features = mappingAt(raw, 'features');
  if (features.balrogVPNProxy !== true || features.balrogStageVPNProxy !== true) {
    return [];
  }
  const keys = ['features', 'balrogStageVPNProxy'];
  const message = 'cannot be used together with balrogVPNProxy: both answer at http://balrog; choose one';
  return [{ path: problemPath(root, keys), message, keys }];
}

function mappingAt(raw: unknown, key: string): Record<string, unknown> {
  const value = valueAt(raw, [key]);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
