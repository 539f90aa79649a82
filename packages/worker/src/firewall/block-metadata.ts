import type Docker from 'dockerode';
import type { WorkerConfig } from '../config/config.ts';
import { firstLocalImage } from '../engine/ensure-image.ts';
import { serviceImages } from '../features/service-images.ts';
import { probeMetadataRule } from './metadata-probe.ts';
import {
  deleteTable,
  type MetadataTable,
  metadataTable,
  orphanedTables,
  type Verdict,
} from './metadata-table.ts';
import { findNft, type Nft } from './nft.ts';
import { ownImage } from './own-image.ts';

export interface MetadataOptions {
  docker: Docker;
  config: WorkerConfig;
  workerName: string;
}

/** What keeps tasks from metadata services. */
export interface MetadataRule extends AsyncDisposable {
  /** Why it does not hold, after it has been tried. */
  problem: Promise<string | undefined>;
}

/**
 * Keeps the tasks of a worker from the metadata service of its cloud, by a rule for its own range of networks. An earlier worker's
 * rule is replaced; this one is there when this settles, and outlives a killed worker, whose tasks may still run.
 *
 * @throws NftFailure when it cannot be made
 */
export async function blockMetadata({ docker, config, workerName }: MetadataOptions): Promise<MetadataRule> {
  const nft = await findNft(docker, workerName);
  const table = metadataTable(workerName);
  const range = config.network.subnets;
  const orphans = orphanedTables(await nft('list tables'), workerName).map(deleteTable);
  const verdict = await makeTable(nft, table, range, orphans);
  const problem = Promise.all([ownImage(docker), firstLocalImage(docker, serviceImages(config))])
    .then(([own, other]) => own ?? other)
    .then((image) => probeMetadataRule({ docker, nft, table, verdict, worker: workerName, range, image }))
    .catch((error: Error) => `it could not be tried: ${error.message}`);
  return {
    problem,
    async [Symbol.asyncDispose]() {
      await problem;
      await nft(table.delete()).catch(() => {});
    },
  };
}

/** In one transaction with the removal of orphans: tasks are not without a rule in between. */
export async function makeTable(
  nft: Nft,
  table: MetadataTable,
  range: string,
  orphans: string[],
): Promise<Verdict> {
  const attempt = async (verdict: Verdict) => {
    await nft([...orphans, table.create(range, verdict)].join('\n'));
    return verdict;
  };
  return await attempt('reject').catch(() => attempt('drop'));
}

/**
 * Removes the rules of workers that no longer run, and says how many; where rules cannot be seen there are none.
 *
 * @param workerName limits them to those of one name
 */
export async function forgetMetadataRules({
  docker,
  workerName,
}: Pick<MetadataOptions, 'docker'> & { workerName?: string }): Promise<number> {
  const nft = await findNft(docker, workerName ?? 'sweep');
  const orphans = orphanedTables(await nft('list tables'), workerName);
  if (orphans.length > 0) {
    await nft(orphans.map(deleteTable).join('\n'));
  }
  return orphans.length;
}
