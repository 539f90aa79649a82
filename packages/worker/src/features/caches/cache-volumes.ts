import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { engineStatus } from '../../engine/engine.ts';
import type { CacheContents, FoundContent } from './cache-contents.ts';
import type { InstanceRecord } from './instance-records.ts';

const prefix = 'docker-worker-cache-';
/** Whose records tell of a volume; other workers of the engine have their own. */
const storeLabel = 'docker-worker.cache-store';
/** How long the container of a task that is over may take to go. */
const removalMs = 120_000;

/** Volumes of the engine: it need not see the files of this host, nor this process be root. */
export class CacheVolumes implements CacheContents {
  readonly likeImage = true;
  readonly #docker: Docker;
  readonly #store: string;

  /** @param folder of the records */
  constructor(docker: Docker, folder: string) {
    this.#docker = docker;
    this.#store = createHash('sha256').update(`${hostname()}\n${folder}`).digest('hex').slice(0, 32);
  }

  source({ id }: InstanceRecord): string {
    return `${prefix}${id}`;
  }

  async make(record: InstanceRecord): Promise<void> {
    await this.#docker.createVolume({ Name: this.source(record), Labels: { [storeLabel]: this.#store } });
  }

  async remove(record: InstanceRecord): Promise<void> {
    await this.#removeVolume(this.source(record));
  }

  async list(): Promise<FoundContent[]> {
    const filters = { label: [`${storeLabel}=${this.#store}`] };
    const { Volumes } = await this.#docker.listVolumes({ filters: JSON.stringify(filters) as never });
    return (Volumes ?? []).map(({ Name }) => ({
      id: Name.slice(prefix.length),
      remove: () => this.#removeVolume(Name),
    }));
  }

  async #removeVolume(name: string): Promise<void> {
    const remove = async () => {
      await this.#docker.getVolume(name).remove();
    };
    try {
      await remove().catch(async (error: unknown) => {
        if (engineStatus(error) !== 409) {
          throw error;
        }
        await this.#unused(name);
        await remove();
      });
    } catch (error) {
      if (engineStatus(error) !== 404) {
        throw error;
      }
    }
  }

  /** Tasks that are over have their containers for a while yet. */
  async #unused(name: string): Promise<void> {
    const users = await this.#docker.listContainers({ all: true, filters: { volume: [name] } });
    const abortSignal = AbortSignal.timeout(removalMs);
    await Promise.all(
      users.map(({ Id }) =>
        this.#docker
          .getContainer(Id)
          .wait({ condition: 'removed', abortSignal })
          .catch((error: unknown) => {
            if (engineStatus(error) !== 404) {
              throw error;
            }
          }),
      ),
    );
  }
}
