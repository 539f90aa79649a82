import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { workerNameOf } from '../../config/config.ts';
import { type FeatureSettings, WorkerConfig } from '../../config-file/worker-config.ts';
import { selectFeatures } from '../../features/selection.ts';
import { makingRunUnits, type UnitHost } from '../../lifecycle/making-run-units.ts';
import { WarmUnits } from '../../sidecars/warm-units.ts';
import { localPool } from '../local-pool.ts';
import type { TaskDocument } from '../task-file/task-document.ts';

/** Stands for the embedded Taskcluster where only what does not depend on it is asked for. */
export const placeholder = {
  rootUrl: 'http://localhost',
  credentials: { clientId: 'none', accessToken: 'none' },
};

const identity = {
  ...localPool,
  workerGroup: 'local',
  workerId:
    hostname()
      .replace(/[^A-Za-z0-9_-]/g, '-')
      .slice(0, 38) || 'localhost',
};

/**
 * Configuration of the worker behind `run-task`. All such workers of a host share one name: what one leaves
 * behind when it is killed, the next removes.
 */
export function localWorkerConfig(
  taskcluster: { rootUrl: string; credentials: { clientId: string; accessToken: string } },
  capacity: number,
  settings: FeatureSettings = {},
): WorkerConfig {
  return WorkerConfig.parse({
    cache: { volumeCachePath: join(cacheHome(), 'docker-worker', 'caches') },
    stateDirectory: localStateDirectory(),
    ...settings,
    // Somebody waits for it, who can try again.
    dockerConfig: {
      ...{ maxAttempts: 2, delayFactor: 2_000, pullAnswerSeconds: 15 },
      ...(settings.dockerConfig as object),
    },
    // Whoever runs it has no machine of a cloud around it, and often no right to change the rules of the host.
    metadata: 'allow',
    interactive: { host: '127.0.0.1', address: '127.0.0.1', ...(settings.interactive as object) },
    rootUrl: taskcluster.rootUrl,
    taskcluster: taskcluster.credentials,
    ...identity,
    workerNodeType: 'local',
    publicIp: '127.0.0.1',
    capacity,
    capacityManagement: { diskspaceThreshold: 0 },
    shutdown: { enabled: false },
    logging: { liveLogAddress: '127.0.0.1' },
  });
}

/** Where programs of this user keep what they can make again. */
function cacheHome(): string {
  return process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
}

/** Where programs of this user keep what they must know the next time. */
export function localStateDirectory(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'docker-worker');
}

/**
 * One network with sidecars for each task that runs at first, begun before there is a worker. They fit if all tasks want the
 * same sidecars; otherwise each task gets its own when it is claimed.
 */
export function localWarmUnits(host: Omit<UnitHost, 'workerName'>, documents: TaskDocument[]): WarmUnits {
  const { config } = host;
  const count = Math.min(documents.length, config.capacity);
  const [first = [], ...others] = documents.map(({ payload }) =>
    selectFeatures(payload, config).used.flatMap((feature) => feature.sidecars ?? []),
  );
  const alike = others.every((sidecars) => isDeepStrictEqual(sidecars, first));
  return new WarmUnits({
    ...makingRunUnits({ ...host, workerName: workerNameOf(config) }),
    count: alike ? count : 0,
    limit: count,
    sidecars: first,
  });
}
