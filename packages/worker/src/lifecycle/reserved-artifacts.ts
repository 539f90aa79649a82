import type { WorkerConfig } from '../config/config.ts';
import type { Feature } from '../features/feature.ts';
import type { Payload } from '../payload/payload.ts';
import { type Problem, problemPath } from '../problem.ts';

/** The artifacts that features make by themselves, by their names, with who makes them. */
export function reservedArtifacts(
  used: Feature[],
  payload: Payload,
  config: WorkerConfig,
): Map<string, string> {
  return new Map(
    used.flatMap((feature) =>
      (feature.artifactNames?.(payload, config) ?? []).map((name) => [name, feature.name]),
    ),
  );
}

/** Names of the payload that the worker needs itself: of two artifacts of one name the queue takes one. */
export function reservedNameProblems(used: Feature[], payload: Payload, config: WorkerConfig): Problem[] {
  const reserved = reservedArtifacts(used, payload, config);
  const declared = Object.keys(payload.artifacts ?? {}).flatMap((name) => {
    const owner = reserved.get(name.replace(/\/+$/, ''));
    const path = problemPath('payload', ['artifacts', name]);
    const message = `the worker makes an artifact of that name itself (${owner}); choose another`;
    return owner === undefined ? [] : [{ path, message }];
  });
  const owners = new Map<string, string>();
  const shared = used.flatMap((feature) =>
    (feature.artifactNames?.(payload, config) ?? []).flatMap((name) => {
      const owner = owners.get(name);
      owners.set(name, owner ?? feature.name);
      const message = `${owner} and ${feature.name} would both make the artifact ${name}; choose another name`;
      return owner === undefined ? [] : [{ path: 'payload.log', message }];
    }),
  );
  return [...declared, ...shared];
}
