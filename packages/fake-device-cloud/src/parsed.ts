import { z } from 'zod';
import { CloudError } from './cloud-error.ts';

/** A request's body as the schema has it, or a refusal. */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (!result.success) throw new CloudError(400, z.prettifyError(result.error));
  return result.data;
}
