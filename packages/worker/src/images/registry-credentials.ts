import type { WorkerConfig } from '../config/config.ts';
import { withTag } from '../engine/ensure-image.ts';

export interface RegistryCredentials {
  username: string;
  password: string;
  email?: string;
  serveraddress: string;
}

/**
 * The configured credentials for an image: those of `<host>/<user>`, else those of the host. A name of two
 * parts belongs to the default registry; other numbers of parts have no credentials.
 */
export function registryCredentials(
  { registries, dockerConfig }: WorkerConfig,
  name: string,
): RegistryCredentials | undefined {
  const parts = name.split('/');
  const [host, user] = parts.length === 2 ? [dockerConfig.defaultRegistry, parts[0]] : parts;
  if (parts.length < 2 || parts.length > 3 || host === undefined) {
    return undefined;
  }
  return firstConfigured(registries, host, [`${host}/${user}`, `${host}/`, host]);
}

/** The configured credentials for a registry with a path prefix, by all of it or by its host. */
export function prefixCredentials(
  { registries }: Pick<WorkerConfig, 'registries'>,
  prefix: string,
): RegistryCredentials | undefined {
  const [host = ''] = prefix.split('/');
  return firstConfigured(registries, host, [prefix, `${host}/`, host]);
}

function firstConfigured(
  registries: WorkerConfig['registries'],
  serveraddress: string,
  keys: readonly string[],
): RegistryCredentials | undefined {
  const key = keys.find((candidate) => Object.hasOwn(registries, candidate));
  const found = key === undefined ? undefined : registries[key];
  return found && { ...found, serveraddress };
}

/** The scope that a task needs for an image that is fetched with the worker's credentials. */
export function imageScope(name: string): string {
  return `docker-worker:image:${withTag(name)}`;
}
