import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import type { Engine } from '../engine/engine.ts';
import { featuresOf } from '../features/index.ts';
import { prefixCredentials } from '../images/registry-credentials.ts';
import { RunUnit } from '../sidecars/run-unit.ts';
import { WarmUnits } from '../sidecars/warm-units.ts';
import type { TaskclusterAccess } from '../taskcluster-access/taskcluster-access.ts';
import { networkRoom } from './network-room.ts';

export interface UnitHost {
  engine: Engine;
  config: WorkerConfig;
  workerName: string;
  logger: Logger;
  /** To a Taskcluster that no network leads to. */
  access?: TaskclusterAccess;
}

/** A network with sidecars as the configuration wants them, for a run or, as `warm`, for any. */
export function createRunUnit(
  { engine, config, workerName, logger, access }: UnitHost,
  sidecars: readonly Sidecar[],
  taskRun: string,
): Promise<RunUnit> {
  const { registry } = config.sidecars;
  const credentials = registry === undefined ? undefined : prefixCredentials(config, registry);
  return RunUnit.create(engine, {
    owner: { worker: workerName, taskRun },
    sidecars,
    subnets: config.network.subnets,
    access,
    images: { ...config.sidecars, credentials },
    readySeconds: config.sidecars.readySeconds,
    cpus: config.sidecars.cpus,
    stateDirectory: config.stateDirectory,
    publish: Object.assign({}, ...featuresOf(config).map((feature) => feature.published?.(config))),
    logger,
  });
}

/** Units made ahead for the features that the configuration names, and for whatever tasks ask for as fast as they do. */
export function configuredWarmUnits(host: UnitHost): WarmUnits {
  const { units, features: names } = host.config.warm;
  const sidecars = featuresOf(host.config)
    .filter(({ name }) => names.includes(name))
    .flatMap((feature) => feature.sidecars ?? []);
  return new WarmUnits({
    count: units,
    most: networkRoom(host.config).ahead,
    sidecars,
    make: (wanted) => createRunUnit(host, wanted, 'warm'),
    logger: host.logger,
  });
}
