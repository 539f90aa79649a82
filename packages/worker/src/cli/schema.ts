import { z } from 'zod';
import { WorkerConfig } from '../config/config.ts';
import { Payload } from '../payload/payload.ts';
import { UserError } from '../user-error.ts';

const documents: Record<string, z.ZodType> = { payload: Payload, config: WorkerConfig };

/** Prints the JSON schema of what a person may write. */
export function printSchema(document: string): number {
  const schema = documents[document];
  if (schema === undefined) {
    throw new UserError(
      `There is no schema "${document}": ask for "${Object.keys(documents).join('" or "')}".`,
    );
  }
  process.stdout.write(
    `${JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), null, 2)}\n`,
  );
  return 0;
}
