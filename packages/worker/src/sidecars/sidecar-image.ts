import type { Sidecar } from '@docker-worker/service-kit/sidecar';
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

/** The image of a service: by its digest where that is known, else by the version this worker was built with. */
export function sidecarImage(
  { name, image, version }: Sidecar,
  { registry, digests }: SidecarImages,
): string {
  const repository = registry === undefined ? image : `${registry.replace(/\/$/, '')}/${image}`;
  const digest = digests[name];
  return digest === undefined ? `${repository}:${version}` : `${repository}@${digest}`;
}
