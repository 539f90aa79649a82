import type { WorkerConfig } from '../config/config.ts';
import { type FeatureNames, type PayloadSchema, payloadSchema } from '../payload/payload.ts';
import { featuresOf } from './index.ts';

/** Names that payloads of old tasks still have; no worker offers them. */
const retired: FeatureNames = {
  dind: 'Gives the task a Docker daemon of its own at /var/run/docker.sock',
};

/** By the names of the features, and what is said about them. */
const schemas = new Map<string, PayloadSchema>();

/** The schema of payloads that knows every feature there is, those included that the configuration names. */
export function payloadSchemaFor(config?: WorkerConfig): PayloadSchema {
  const flags = featuresOf(config).filter(({ askedBy }) => askedBy === undefined);
  const names = Object.fromEntries(flags.map(({ name, description = '' }) => [name, description]));
  const key = JSON.stringify(names);
  const known = schemas.get(key);
  if (known !== undefined) {
    return known;
  }
  const schema = payloadSchema({ ...names, ...retired });
  schemas.set(key, schema);
  return schema;
}
