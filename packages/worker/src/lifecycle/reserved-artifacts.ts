import type { WorkerConfig } from '../config/config.ts';
import type { Feature } from '../features/feature.ts';
import { backingLogName, liveLogName } from '../features/logs/log-names.ts';
import type { Payload } from '../payload/payload.ts';
import { type Problem, problemPath } from '../problem.ts';

interface Reserved {
  name: string;
  /** Who makes it. */
  owner: string;
}

/** The artifacts that the worker makes by itself: the log, and what features make. */
function allReserved(used: Feature[], payload: Payload, config: WorkerConfig): Reserved[] {
  const log = liveLogName(payload);
  return [
    ...[log, backingLogName(log)].map((name) => ({ name, owner: 'the log' })),
    ...used.flatMap(({ name: owner, artifactNames }) =>
      (artifactNames?.(payload, config) ?? []).map((name) => ({ name, owner })),
    ),
  ];
}

export function reservedArtifacts(used: Feature[], payload: Payload, config: WorkerConfig): Set<string> {
  return new Set(allReserved(used, payload, config).map(({ name }) => name));
}

/** Names of the payload that the worker needs itself: of two artifacts of one name the queue takes one. */
export function reservedNameProblems(used: Feature[], payload: Payload, config: WorkerConfig): Problem[] {
  const owners = new Map<string, string>();
  const shared = allReserved(used, payload, config).flatMap(({ name, owner }) => {
    const other = owners.get(name);
    owners.set(name, other ?? owner);
    const message = `${other} and ${owner} would both make the artifact ${name}; choose another name`;
    return other === undefined ? [] : [{ path: 'payload.log', message }];
  });
  const declared = Object.keys(payload.artifacts ?? {}).flatMap((name) => {
    const owner = owners.get(name.replace(/\/+$/, ''));
    const message = `the worker makes an artifact of that name itself (${owner}); choose another`;
    return owner === undefined ? [] : [{ path: problemPath('payload', ['artifacts', name]), message }];
  });
  return [...declared, ...shared];
}
