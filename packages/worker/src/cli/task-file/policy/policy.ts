import { z } from 'zod';

const text = z.string();

/** `.taskcluster.yml` of version 1. What `tasks` is, is seen once it is rendered. */
export const PolicyV1 = z.strictObject({
  version: z.literal(1),
  reporting: z.literal('checks-v1').optional(),
  autoCancelPreviousChecks: z.boolean().optional(),
  policy: z
    .strictObject({
      pullRequests: z
        .enum(['public', 'public_restricted', 'collaborators', 'collaborators_quiet'])
        .optional(),
      allowComments: z.literal('collaborators').optional(),
    })
    .optional(),
  hooks: z.array(z.strictObject({ name: text, context: z.record(text, z.unknown()).optional() })).optional(),
  tasks: z.unknown().optional(),
});

/** `.taskcluster.yml` of version 0, which is no JSON-e. */
export const PolicyV0 = z.strictObject({
  version: z.literal(0),
  allowPullRequests: z.enum(['public', 'collaborators']).optional(),
  metadata: z.strictObject({ name: text, description: text, owner: text, source: text }).optional(),
  tasks: z.array(z.looseObject({})).optional(),
});

export type PolicyV1 = z.infer<typeof PolicyV1>;
export type PolicyV0 = z.infer<typeof PolicyV0>;
export type Policy = PolicyV0 | PolicyV1;

/** Whether a document is meant to be one, right or wrong. */
export function isPolicy(document: unknown): document is Record<string, unknown> {
  return (
    typeof document === 'object' &&
    document !== null &&
    Object.hasOwn(document, 'version') &&
    !Object.hasOwn(document, 'payload') &&
    !Object.hasOwn(document, 'image')
  );
}

/** The task of a policy as the platform would create it. */
export interface PolicyTask {
  taskId: string;
  task: Record<string, unknown>;
}
