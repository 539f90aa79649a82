import { z } from 'zod';
import { ArtifactDeclaration } from './artifact-declaration.ts';
import { Capabilities } from './capabilities.ts';
import { Image } from './image.ts';

/** Any integer that JSON can hold: the schema that Taskcluster published sets no upper limit. */
const Integer = z
  .unknown()
  .refine((value): value is number => Number.isInteger(value), { params: { type: 'integer' } })
  .pipe(z.number())
  .meta({ type: 'integer' });

const ExitCodes = z.array(Integer);

const TextMap = z.record(z.string(), z.string());

/** Names that `payload.features` may have, and what each is for. */
export type FeatureNames = Readonly<Record<string, string>>;

/**
 * Which features the task asks for. A key that is absent is not the same as `false`: then the worker decides,
 * so no defaults are filled in.
 */
function featuresSchema(names: FeatureNames) {
  const shape = Object.entries(names).map(([name, description]) => [
    name,
    z.boolean().optional().describe(description),
  ]);
  return z
    .strictObject(Object.fromEntries(shape) as Record<string, z.ZodOptional<z.ZodBoolean>>)
    .describe('Features that the task turns on or off');
}

/**
 * `payload` of a task definition: all that docker-worker's published schema accepts, and the features that
 * its last version had dropped. Parsing fills in the defaults on a new object.
 */
export const payloadSchema = (names: FeatureNames) =>
  z
    .strictObject({
      image: Image,
      maxRunTime: Integer.refine((seconds) => seconds >= 1, { params: { minimum: 1 } }).meta({
        type: 'integer',
        minimum: 1,
        description: 'Seconds that the task container may run; counted from its start',
        examples: [3600],
      }),
      command: z
        .array(z.string())
        .default([])
        .describe(
          'What to run, one list element per argument; empty for the image’s own command, which must not be a shell that waits for input',
        ),
      env: TextMap.default({}).describe('Environment variables of the task container'),
      cache: TextMap.default({}).describe(
        'Cache name → where the container has it; kept on the worker between tasks, and each needs a scope',
      ),
      artifacts: z
        .record(z.string(), ArtifactDeclaration)
        .default({})
        .describe('Artifact name → the file or directory that is uploaded when the container has exited'),
      capabilities: Capabilities.optional(),
      features: featuresSchema(names).default({}),
      onExitStatus: z
        .strictObject({
          retry: ExitCodes.optional().describe('Exit codes after which the task is tried again'),
          purgeCaches: ExitCodes.optional().describe(
            'Exit codes after which the task’s caches are thrown away',
          ),
        })
        .optional()
        .describe('What else an exit code means'),
      log: z
        .string()
        .default('public/logs/live.log')
        .describe('Name of the live log artifact; the finished log has `_backing` before its extension'),
      supersederUrl: z.string().optional().describe('Accepted for old tasks and ignored'),
    })
    .meta({ title: 'docker-worker payload' });
export type PayloadSchema = ReturnType<typeof payloadSchema>;
export type Payload = z.infer<PayloadSchema>;
