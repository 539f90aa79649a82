import type { Logger } from 'pino';
import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import { type WorkerConfig, workerPoolId } from '../../config/config.ts';
import type { CacheStore } from './cache-store.ts';

const Answer = z.looseObject({
  requests: z.array(z.looseObject({ cacheName: z.string(), before: z.string() })),
});

/** A request that arrives while another is answered may be missing from that answer. */
const overlapMs = 5 * 60 * 1000;
const timeoutMs = 10_000;

/** Follows what people ask the purge-cache service to throw away on this pool's workers. */
export class PurgeService {
  readonly #config: WorkerConfig;
  readonly #store: CacheStore;
  readonly #logger: Logger;
  #asked: Date | undefined;
  #asking: Promise<void> | undefined;

  constructor(config: WorkerConfig, store: CacheStore, logger: Logger) {
    this.#config = config;
    this.#store = store;
    this.#logger = logger;
  }

  /**
   * Applies what has been asked for until now; to be awaited before a newly claimed task gets a cache. A
   * service that does not answer is logged and does not hold the task up.
   */
  async apply(): Promise<void> {
    // One that began earlier may miss a request that was made before this task.
    await this.#asking;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    if (await this.#store.isEmpty()) {
      return;
    }
    const { rootUrl, taskcluster: credentials } = this.#config;
    const service = new taskcluster.PurgeCache({ rootUrl, credentials, timeout: timeoutMs, retries: 1 });
    const now = new Date();
    const since =
      this.#asked === undefined ? {} : { since: new Date(this.#asked.getTime() - overlapMs).toJSON() };
    try {
      const { requests } = Answer.parse(await service.purgeRequests(workerPoolId(this.#config), since));
      this.#asked = now;
      for (const { cacheName, before } of requests) {
        await this.#store.purge(cacheName, new Date(before));
      }
    } catch (error) {
      this.#logger.error({ err: error }, 'the purge-cache service could not be asked');
    }
  }
}
