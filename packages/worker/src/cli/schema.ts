import { z } from 'zod';
import { ConfigFile } from '../config-file/worker-config.ts';
import { payloadSchemaFor } from '../features/payload-schema.ts';
import { UserError } from '../user-error.ts';

const documents: Record<string, z.ZodType> = { payload: payloadSchemaFor(), config: ConfigFile };

/** Prints the JSON schema of what a person may write. */
export function printSchema(document: string): number {
  const schema = Object.hasOwn(documents, document) ? documents[document] : undefined;
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
