import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import { RunNetworks } from '../containers/run-networks.ts';
import type { Engine } from '../engine/engine.ts';
import { featuresOf } from '../features/index.ts';
import { RunUnit } from '../sidecars/run-unit.ts';
import { configuredImages } from '../sidecars/sidecar-image.ts';
import { WarmUnits, type WarmUnitsOptions } from '../sidecars/warm-units.ts';
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

/** How units are made as the configuration wants them, on networks that are used again. */
export function makingRunUnits(host: UnitHost): Pick<WarmUnitsOptions, 'make' | 'networks' | 'logger'> {
  const { engine, access, config, workerName, logger } = host;
  const networks = new RunNetworks({
    ...{ engine, logger },
    subnets: config.network.subnets,
    most: networkRoom(config).kept,
  });
  const options = {
    ...{ networks, access },
    images: configuredImages(config),
    readySeconds: config.sidecars.readySeconds,
    cpus: config.sidecars.cpus,
    stateDirectory: config.stateDirectory,
    publish: Object.assign({}, ...featuresOf(config).map((feature) => feature.published?.(config))),
    logger,
  };
  return {
    ...{ networks, logger },
    make: (sidecars, taskRun) =>
      RunUnit.create(engine, { ...options, sidecars, owner: { worker: workerName, taskRun } }),
  };
}

/** Units made ahead for the features that the configuration names, and for whatever tasks ask for as fast as they do. */
export function configuredWarmUnits(host: UnitHost): WarmUnits {
  const { units, features: names } = host.config.warm;
  const sidecars = featuresOf(host.config)
    .filter(({ name }) => names.includes(name))
    .flatMap((feature) => feature.sidecars ?? []);
  return new WarmUnits({
    ...makingRunUnits(host),
    count: units,
    most: networkRoom(host.config).ahead,
    sidecars,
  });
}
