import { z } from 'zod';
import { DateTime } from './date-time.ts';

export const ArtifactDeclaration = z.strictObject({
  type: z
    .enum(['file', 'directory', 'volume'])
    .meta({ description: 'What `path` is; `volume` is accepted and never matches', examples: ['file'] }),
  path: z
    .string()
    .meta({ description: 'Where the container has it, from `/`', examples: ['/builds/result.txt'] }),
  expires: DateTime.optional().describe('When Taskcluster may drop it; the task’s own `expires` by default'),
});
export type ArtifactDeclaration = z.infer<typeof ArtifactDeclaration>;
