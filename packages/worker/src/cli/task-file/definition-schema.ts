import { IDENTIFIER, SLUGID } from '@docker-worker/local-taskcluster/fields';
import { z } from 'zod';
import { DateTime } from '../../payload/date-time.ts';

const slugid = z
  .string()
  .regex(
    SLUGID,
    'must be a slugid, the 22 characters of an id that Taskcluster makes, such as fN4hV0r2Q1CnR9kIwSxVMA',
  );

function textOf(longest: number) {
  return z.string().max(longest, `must have at most ${longest} characters`);
}

function unique<Item extends z.ZodType>(item: Item, most: number) {
  return z
    .array(item)
    .max(most, `must have at most ${most} entries`)
    .refine((list) => new Set(list).size === list.length, 'must not have the same entry twice');
}

/**
 * What a task definition may say beside its payload: nothing is required, since defaults can stand in, and a queue takes
 * all that this does. Where it is to run is passed over.
 */
export const DefinitionFields = z.strictObject({
  taskQueueId: z.string().optional(),
  provisionerId: z.string().optional(),
  workerType: z.string().optional(),
  schedulerId: z.string().regex(IDENTIFIER, 'must have 1 to 38 letters, digits, "-" and "_"').optional(),
  projectId: z
    .string()
    .regex(/^[a-zA-Z0-9._/-]{1,500}$/, 'must have 1 to 500 letters, digits, ".", "_", "/" and "-"')
    .optional(),
  taskGroupId: slugid.optional(),
  dependencies: unique(slugid, 10_000).optional(),
  requires: z.enum(['all-completed', 'all-resolved']).optional(),
  routes: unique(textOf(249).min(1, 'must not be empty'), 64).optional(),
  priority: z
    .enum(['highest', 'very-high', 'high', 'medium', 'low', 'very-low', 'lowest', 'normal'])
    .optional(),
  retries: z
    .int('must be a whole number')
    .min(0, 'must be at least 0')
    .max(49, 'must be at most 49')
    .optional(),
  created: DateTime.optional(),
  deadline: DateTime.optional(),
  expires: DateTime.optional(),
  scopes: z
    .array(
      z
        .string()
        .regex(/^[ -~]*$/, 'must have printable ASCII characters only')
        .refine((scope) => !scope.endsWith('**'), 'must not end with more than one "*"'),
    )
    .optional(),
  metadata: z
    .strictObject({
      name: textOf(255).optional(),
      description: textOf(32_768).optional(),
      owner: textOf(255).optional(),
      source: textOf(4096)
        .regex(/^(https?:\/\/|ssh:\/\/|git@)/, 'must begin with http://, https://, ssh:// or git@')
        .optional(),
    })
    .optional(),
  tags: z.record(z.string(), textOf(4096)).optional(),
  extra: z.record(z.string(), z.unknown()).optional(),
});
export type DefinitionFields = z.infer<typeof DefinitionFields>;
