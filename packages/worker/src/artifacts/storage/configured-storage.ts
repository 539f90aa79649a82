import type { WorkerConfig } from '../../config/config.ts';
import { objectStorage } from './object-storage.ts';
import { s3Storage } from './s3-storage.ts';
import type { ArtifactStorage } from './storage.ts';

/** Where the configuration wants the artifacts of runs. */
export function configuredStorage({ artifacts, rootUrl }: WorkerConfig): ArtifactStorage {
  return artifacts.storageType === 'object' ? objectStorage(rootUrl) : s3Storage;
}
