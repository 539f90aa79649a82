import { settingsOf } from '../../config/config.ts';
import type { HostPart, OpenPart } from '../../run/host-part.ts';
import { CacheStore } from './cache-store.ts';
import { PurgeService } from './purge-service.ts';
import { settings } from './settings.ts';

export interface CachesOfHost extends OpenPart {
  /** What tasks keep on this host for later ones. */
  store: CacheStore;
  /** What people ask to throw away of it. */
  purges: PurgeService;
}

export const cachesOfHost: HostPart<CachesOfHost> = {
  open({ config, logger, metrics }) {
    const { volumeCachePath } = settingsOf(config, settings).cache;
    const store = new CacheStore(volumeCachePath, logger, (event) => metrics?.caches.inc({ event }));
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
