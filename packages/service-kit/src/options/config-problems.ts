import type { z } from 'zod';
import { optionLabel } from './option-label.ts';
import type { AnyOptionTable } from './option-table.ts';

/**
 * What a schema found wrong, one sentence for each problem, naming the option (flag and variable) or,
 * on the control channel, the key. Values are never part of it, so neither are secrets.
 */
export function configProblems(error: z.ZodError, input: unknown, table?: AnyOptionTable): string[] {
  return error.issues.map((issue) => {
    const path = issue.path.map(String);
    const option = table?.[path.slice(0, 2).join('.')] ?? table?.[path[0] ?? ''];
    const label = option ? optionLabel(option) : path.join('.') || 'configuration';
    if (issue.code === 'invalid_type' && valueAt(input, issue.path) === undefined) {
      return `${label}: is required but not given`;
    }
    return `${label}: ${issue.message}`;
  });
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
