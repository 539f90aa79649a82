/**
 * Keys of the original docker-worker's configuration that have nothing to configure here: what they were for
 * works without, or is no more. `*` stands for any one key.
 */
const obsolete = [
  'monitorProject',
  'testMode',
  'createQueue',
  'pulse',
  'influx',
  'schema',
  'dindImage',
  'taskclusterProxyImage',
  'taskclusterLogImage',
  'testdroidProxyImage',
  'balrogVPNProxyImage',
  'dockerWorkerPrivateKey',
  'metricsCollection',
  'taskQueue',
  'phone',
  'dockerConfig.allowDisableSeccomp',
  'features.*.image',
  'features.*.token',
  'features.dind',
  'garbageCollection.interval',
  'garbageCollection.containerExpiration',
  'logging.liveLogChunkInterval',
  'shutdown.nodeTerminationPoll',
  'task.dequeueCount',
].map((path) => path.split('.'));

/** A configuration without obsolete keys, and which ones it had, as `a.b.c`. */
export function withoutObsoleteKeys(document: unknown): { kept: unknown; obsoleteKeys: string[] } {
  const obsoleteKeys: string[] = [];
  return { kept: without(document, []), obsoleteKeys };

  function without(value: unknown, path: string[]): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return value;
    }
    const kept = Object.entries(value).filter(([key]) => {
      const isObsolete = obsolete.some((pattern) => matches(pattern, [...path, key]));
      if (isObsolete) {
        obsoleteKeys.push([...path, key].join('.'));
      }
      return !isObsolete;
    });
    return Object.fromEntries(kept.map(([key, inner]) => [key, without(inner, [...path, key])]));
  }
}

function matches(pattern: string[], path: string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((segment, index) => segment === '*' || segment === path[index])
  );
}
