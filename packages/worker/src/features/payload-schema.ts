import type { WorkerConfig } from '../config/config.ts';
import { type FeatureNames, type PayloadSchema, payloadSchema } from '../payload/payload.ts';
import { featuresOf } from './index.ts';

/** Names that payloads of old tasks still have; no worker offers them. */
const retired: FeatureNames = {
  dind: 'Gives the task a Docker daemon of its own at /var/run/docker.sock',
};

const schemas = new WeakMap<WorkerConfig, PayloadSchema>();

/** The schema of payloads that knows every feature there is, those included that the configuration names. */
export function payloadSchemaFor(config?: WorkerConfig): PayloadSchema {
  const known = config === undefined ? undefined : schemas.get(config);
  if (known !== undefined) {
    return known;
  }
  const flags = featuresOf(config).filter(({ askedBy }) => askedBy === undefined);
  const names = Object.fromEntries(flags.map(({ name, description = '' }) => [name, description]));
  const schema = payloadSchema({ ...names, ...retired });
  if (config !== undefined) {
    schemas.set(config, schema);
  }
  return schema;
}
