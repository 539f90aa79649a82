import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type { WorkerConfig } from '../config/config.ts';
import { prefixCredentials } from '../config/registry-credentials.ts';
import type { PullOptions } from '../engine/ensure-image.ts';

/** Where the images of sidecars come from. */
export interface SidecarImages {
  /** Registry and path prefix; without it they are on this host. */
  registry?: string;
  /** `sha256:…` by the name of the sidecar. */
  digests: Readonly<Record<string, string>>;
  /** For the registry, if it wants any. */
  credentials?: PullOptions['credentials'];
}

/** As the configuration says. */
export function configuredImages(config: WorkerConfig): SidecarImages {
  const { registry } = config.sidecars;
  const credentials = registry === undefined ? undefined : prefixCredentials(config, registry);
  return { ...config.sidecars, credentials };
}

/** The image of a service: by its digest where that is known, else by the version this worker was built with. */
export function sidecarImage(
  { name, image, version }: Sidecar,
  { registry, digests }: SidecarImages,
): string {
  const repository = registry === undefined ? image : `${registry.replace(/\/$/, '')}/${image}`;
  const digest = digests[name];
  return digest === undefined ? `${repository}:${version}` : `${repository}@${digest}`;
}
