import type { WorkerConfig } from '../config/config.ts';
import type { Payload } from '../payload/payload.ts';
import type { Problem } from '../problem.ts';
import type { Feature } from './feature.ts';
import { features, featuresOf } from './index.ts';

export interface Selection {
  used: Feature[];
  problems: Problem[];
}

/**
 * The features that a payload uses, by what it names and by what is on by default. A feature that is named,
 * even with `false`, must be known to this worker, enabled on it and possible on its host.
 */
export function selectFeatures(payload: unknown, config: WorkerConfig): Selection {
  const named = namedFeatures(payload);
  const flags = featuresOf(config).filter(({ askedBy }) => askedBy === undefined);
  const problems: Problem[] = [];
  for (const name of named.keys()) {
    const path = `payload.features.${name}`;
    const feature = flags.find((candidate) => candidate.name === name);
    if (feature === undefined) {
      const offered = flags.map((flag) => flag.name).join(', ');
      problems.push({ path, message: `${name} is not part of valid features; this worker has: ${offered}` });
    } else if (!isEnabled(feature, config)) {
      problems.push({ path, message: `${name} is not enabled on this worker` });
    } else if (named.get(name) === true) {
      const reason = feature.unavailable?.(config);
      if (reason !== undefined) {
        problems.push({ path, message: `${name} is not available on this worker: ${reason}` });
      }
    }
  }
  const used = flags.filter(
    (feature) => isEnabled(feature, config) && (named.get(feature.name) ?? feature.defaultOn) === true,
  );
  return { used, problems };
}

/** The powers that a valid payload asks for outside of `payload.features`, or the configuration for it. */
export function otherFeatures(payload: Payload, config: WorkerConfig): Feature[] {
  return features.filter(({ askedBy }) => askedBy?.(payload, config));
}

function isEnabled({ name, enabledUnlessConfigured = true }: Feature, config: WorkerConfig): boolean {
  return config.features[name]?.enabled ?? enabledUnlessConfigured;
}

function namedFeatures(payload: unknown): Map<string, unknown> {
  const { features: named } = (payload ?? {}) as { features?: unknown };
  return new Map(typeof named === 'object' && named !== null ? Object.entries(named) : []);
}
