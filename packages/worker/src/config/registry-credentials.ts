import { parseImageReference, withTag } from '../engine/image-reference.ts';
import type { WorkerConfig } from './config.ts';

export interface RegistryCredentials {
  username: string;
  password: string;
  email?: string;
  serveraddress: string;
}

/** What engines call the registry of images that are named without one. */
const defaultDomains = ['docker.io', 'index.docker.io'];

/**
 * The configured credentials for an image: those of `<host>/<user>`, else those of the host. A name of two
 * parts belongs to the default registry, as if that were named; other numbers of parts have no credentials.
 */
export function registryCredentials(
  { registries, dockerConfig }: WorkerConfig,
  name: string,
): RegistryCredentials | undefined {
  const { domain = 'docker.io', path = '' } = parseImageReference(name) ?? {};
  const [user, ...rest] = path.split('/');
  if (rest.length !== 1) {
    return undefined;
  }
  const host = defaultDomains.includes(domain) ? dockerConfig.defaultRegistry : domain;
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
