import { chmod, chown } from 'node:fs/promises';
import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { settingsOf, workerPoolId } from '../../config/config.ts';
import type { Payload } from '../../payload/payload.ts';
import { type Problem, problemPath } from '../../problem.ts';
import type { Run } from '../../run/run.ts';
import type { Feature, FeatureRequest } from '../feature.ts';
import { whyInvalid } from './cache-name.ts';
import type { CacheLease } from './cache-store.ts';
import { cachesOfHost } from './caches-of-host.ts';
import { imageFolders } from './image-folders.ts';
import { settings } from './settings.ts';

/** `payload.cache`: directories of the host that outlive the task and are handed to later ones. */
export const caches: Feature = {
  name: 'caches',
  settings,
  host: cachesOfHost,
  sharedFolders: (config) => ({
    'cache.volumeCachePath': settingsOf(config, settings).cache.volumeCachePath,
  }),
  askedBy: (payload) => wanted(payload).length > 0,
  defaultOn: false,
  workerScopes: (config) => [
    {
      scope: `purge-cache:purge-requests::${workerPoolId(config)}`,
      without: 'caches that people ask to purge go on being used',
    },
  ],
  async problems(request) {
    return [
      ...invalidNames(request.payload),
      ...invalidMounts(request.payload),
      ...(await missingScopes(request)),
    ];
  },
  async prepare(run, payload) {
    const { store, purges } = run.host.parts.of(cachesOfHost);
    await purges.apply();
    const leases = new Map<string, CacheLease>();
    for (const [name, mount] of wanted(payload)) {
      leases.set(mount, run.leases.use(await store.acquire(name)));
    }
    return {
      hostConfig: { Binds: [...leases].map(([mount, { path }]) => `${path}:${mount}`) },
      onImage: (image) => likeFoldersOf(image, leases, run),
      async onExited(container) {
        const { exitCode } = await container.exited;
        if (!run.signal.aborted && payload.onExitStatus?.purgeCaches?.includes(exitCode)) {
          for (const lease of leases.values()) {
            lease.purge();
          }
        }
      },
    };
  },
};

/**
 * As with Docker's own volumes, a new cache gets owner and mode of the folder that it covers, so that an image which does
 * not run as root can use it.
 */
async function likeFoldersOf(image: string, leases: Map<string, CacheLease>, run: Run): Promise<void> {
  const created = [...leases].filter(([, { isBare }]) => isBare);
  if (created.length === 0) {
    return;
  }
  const { docker } = run.host.engine;
  const paths = created.map(([mount]) => mount);
  const folders = await imageFolders(docker, { image, paths, owner: run.owner, signal: run.signal });
  for (const [mount, { path }] of created) {
    const folder = folders.get(mount);
    if (folder !== undefined) {
      await chown(path, folder.uid, folder.gid);
      await chmod(path, folder.mode);
    }
  }
}

function wanted({ cache }: Payload): [name: string, mount: string][] {
  return Object.entries(cache ?? {});
}

function invalidNames(payload: Payload): Problem[] {
  return wanted(payload).flatMap(([name]) => {
    const reason = whyInvalid(name);
    return reason === undefined
      ? []
      : [
          {
            path: problemPath('payload', ['cache', name]),
            message: `Error: Invalid key name was provided: ${reason}`,
          },
        ];
  });
}

function invalidMounts(payload: Payload): Problem[] {
  const mounts = wanted(payload).map(([, mount]) => mount.replace(/(?<=.)\/+$/, ''));
  return wanted(payload).flatMap(([name, mount], index) => {
    const path = problemPath('payload', ['cache', name]);
    if (!mount.startsWith('/') || mount.includes(':') || /^\/*$/.test(mount)) {
      const message = `${JSON.stringify(mount)} is no place for a cache: it must be an absolute path below "/", without ":"`;
      return [{ path, message }];
    }
    return mounts.indexOf(mounts[index] ?? '') < index
      ? [{ path, message: `another cache is at ${mount} already` }]
      : [];
  });
}

/** All caches together: what is missing is told as an expression of scopes, as is what is needed. */
async function missingScopes({ task, payload, config, expandedScopes }: FeatureRequest): Promise<Problem[]> {
  const pool = workerPoolId(config);
  const each = wanted(payload).map(([name]) => ({
    AnyOf: [`docker-worker:cache:${name}`, `docker-worker:cache:${name}:${pool}`],
  }));
  const lackedBy = (scopes: string[]) => each.filter((needed) => !satisfiesExpression(scopes, needed));
  if (lackedBy(task.scopes).length === 0) {
    return [];
  }
  const lacked = lackedBy(await expandedScopes());
  if (lacked.length === 0) {
    return [];
  }
  return [
    {
      path: 'scopes',
      message:
        'Insufficient scopes to attach cache volumes. ' +
        `The task is missing ${JSON.stringify({ AllOf: lacked })} and needs ${JSON.stringify({ AllOf: each })}`,
    },
  ];
}
