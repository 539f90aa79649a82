import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { settingsOf } from '../../config/config.ts';
import { seesFolder } from '../../containers/shared-paths.ts';
import type { Engine } from '../../engine/engine.ts';
import type { HostPart, OpenPart } from '../../run/host-part.ts';
import { CacheFolders } from './cache-folders.ts';
import { type CachePlace, CacheStore } from './cache-store.ts';
import { CacheVolumes } from './cache-volumes.ts';
import { PurgeService } from './purge-service.ts';
import { settings } from './settings.ts';

export interface CachesOfHost extends OpenPart {
  /** What tasks keep on this host for later ones. */
  store: CacheStore;
  /** What people ask to throw away of it. */
  purges: PurgeService;
}

export const cachesOfHost: HostPart<CachesOfHost> = {
  open({ config, logger, metrics, engine, workerName }) {
    const { volumeCachePath } = settingsOf(config, settings).cache;
    const place = choosePlace(engine, workerName, volumeCachePath);
    const store = new CacheStore(place, logger, (event) => metrics?.caches.inc({ event }));
    return {
      store,
      purges: new PurgeService(config, store, logger),
      sweep: () => store.sweep(),
      kept: () => store.kept(),
      async freeUp() {
        const removed = await store.freeUp();
        metrics?.removed.inc({ kind: 'cache' }, removed);
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
};

/** Directories, where the engine sees them and this process may remove what tasks make in them as root; else volumes. */
async function choosePlace(engine: Engine, worker: string, folder: string): Promise<CachePlace> {
  if (process.getuid?.() === 0 && (await seesFolder(engine, worker, folder))) {
    return { records: folder, contents: new CacheFolders(folder) };
  }
  const { docker, capabilities } = engine;
  const ofEngine = createHash('sha256').update(capabilities.address).digest('hex').slice(0, 16);
  const records = join(folder, '.volumes', ofEngine);
  return { records, contents: new CacheVolumes(docker, records) };
}
