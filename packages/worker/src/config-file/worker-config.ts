import type { z } from 'zod';
import { OwnConfig, type WorkerConfig as ParsedConfig } from '../config/config.ts';
import { families, features } from '../features/index.ts';
import { Registration } from './registration.ts';

const settings: z.ZodRawShape = Object.assign({}, ...[...features, ...families].map((one) => one.settings));

/** The worker's whole configuration; unknown keys are refused, so that a misspelt one is noticed. */
export const WorkerConfig = OwnConfig.extend(settings) as unknown as typeof OwnConfig;
export type WorkerConfig = ParsedConfig;

/** A configuration as it stands in a file: the environment, or a registration, may supply the rest. */
export const ConfigFile = WorkerConfig.partial({
  rootUrl: true,
  taskcluster: true,
  provisionerId: true,
  workerType: true,
  workerGroup: true,
  workerId: true,
}).extend({ registration: Registration.optional() });

/** The part of a configuration that says what tasks may do; all that a worker on this machine alone needs. */
export const FeatureSettings = OwnConfig.pick({
  features: true,
  dockerConfig: true,
  ssl: true,
  limits: true,
  registries: true,
  sidecars: true,
}).extend(settings);
export type FeatureSettings = z.input<typeof FeatureSettings>;
