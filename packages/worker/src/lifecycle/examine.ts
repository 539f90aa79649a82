import { existsSync } from 'node:fs';
import { satisfiesExpression } from 'taskcluster-lib-scopes';
import type { EngineCapabilities } from '../engine/capabilities.ts';
import type { Feature, FeatureRequest } from '../features/feature.ts';
import { payloadSchemaFor } from '../features/payload-schema.ts';
import { otherFeatures, selectFeatures } from '../features/selection.ts';
import { type ParsedPayload, parsePayload } from '../payload/parse-payload.ts';
import type { Payload } from '../payload/payload.ts';
import { malformedPayloadText } from '../payload/schema-messages.ts';
import { type Problem, problemLine } from '../problem.ts';
import type { TaskDefinition } from '../queue/queue.ts';
import type { Resolution } from '../run/resolution.ts';
import { imageProblems } from './image-problems.ts';
import { reservedArtifacts, reservedNameProblems } from './reserved-artifacts.ts';

export type Examination =
  | {
      accepted: true;
      payload: Payload;
      used: Feature[];
      notices: string[];
      reservedArtifacts: ReadonlySet<string>;
    }
  | { accepted: false; resolution: Resolution; messages: string[] };

/**
 * Everything that can be known about a task before anything is created for it. All problems are found at
 * once; a payload that breaks the schema outweighs features or scopes that fail.
 */
export async function examine(
  task: TaskDefinition,
  { config, engine }: Pick<FeatureRequest, 'config' | 'engine'>,
  expandedScopes: () => Promise<string[]>,
): Promise<Examination> {
  const { used, problems } = selectFeatures(task.payload, config);
  let parsed: ParsedPayload = parsePayload(task.payload, payloadSchemaFor(config), task);
  if (parsed.payload !== undefined) {
    const { payload } = parsed;
    const all = [...used, ...otherFeatures(payload, config)];
    const request = { task, payload, config, engine, expandedScopes };
    const reserved = reservedNameProblems(all, payload, config);
    if (reserved.length > 0) {
      parsed = { payload: undefined, problems: reserved as [Problem] };
    }
    problems.push(
      ...imageProblems(request),
      ...sameAlias(used),
      ...missingDevices(used, engine.capabilities),
    );
    for (const feature of all) {
      problems.push(...missingScopes(feature, request), ...((await feature.problems?.(request)) ?? []));
    }
    if (problems.length === 0 && parsed.problems.length === 0) {
      const notices = all.flatMap((feature) => feature.notices?.(request) ?? []);
      const names = reservedArtifacts(all, payload, config);
      return { accepted: true, payload, used: all, notices, reservedArtifacts: names };
    }
  }
  const malformed = parsed.problems.length > 0;
  return {
    accepted: false,
    resolution: malformed ? { kind: 'exception', reason: 'malformed-payload' } : { kind: 'failed' },
    messages: [...(malformed ? [malformedPayloadText(parsed.problems)] : []), ...problems.map(problemLine)],
  };
}

/** Of two services under one name the task would reach either. */
function sameAlias(used: Feature[]): Problem[] {
  const owners = new Map<string, string>();
  return used.flatMap(({ name, sidecars = [] }) =>
    sidecars.flatMap(({ alias }) => {
      const owner = owners.get(alias);
      owners.set(alias, owner ?? name);
      const message = `cannot be used together with ${owner}: both answer at http://${alias}; choose one`;
      return owner === undefined ? [] : [{ path: `payload.features.${name}`, message }];
    }),
  );
}

/** Those of services, where it can be seen from here what the host has. */
function missingDevices(
  used: Feature[],
  { rootless, sharesFiles, sharesKernel }: EngineCapabilities,
): Problem[] {
  if (!sharesFiles && !(rootless && sharesKernel)) {
    return [];
  }
  return used.flatMap(({ name, sidecars = [] }) =>
    sidecars
      .flatMap(({ devices = [] }) => devices)
      .filter((path) => !existsSync(path))
      .map((path) => ({
        path: `payload.features.${name}`,
        message: `${name} is not available on this worker: its host has no ${path}, which the service needs`,
      })),
  );
}

function missingScopes(feature: Feature, request: FeatureRequest): Problem[] {
  const required = feature.requiredScopes?.(request) ?? [];
  return required
    .filter((scope) => !satisfiesExpression(request.task.scopes, scope))
    .map((scope) => ({
      path: 'scopes',
      message:
        `Insufficient scopes to use '${feature.name}' feature. ` +
        `Try adding ${scope} to the .scopes array.`,
    }));
}
