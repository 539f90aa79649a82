import { readFile } from 'node:fs/promises';
import {
  type Permissions,
  permissionScopePrefix,
  permissionsFromScopes,
  type RelengapiSettings,
  relengapiProxy,
} from '@docker-worker/relengapi-proxy/sidecar';
import type { z } from 'zod';
import { type Feature, type FeatureRequest, sidecarRequest } from '../feature.ts';
import type { RelengapiProxySettings } from './settings.ts';

type Routes = z.input<typeof RelengapiSettings>['routes'];

/**
 * `http://relengapi` in the task: requests are authorized with a temporary token that has the permissions
 * which the task's own scopes name.
 */
export const relengAPIProxy: Feature = {
  name: 'relengAPIProxy',
  defaultOn: false,
  sidecars: [relengapiProxy],
  unavailable: ({ relengAPIProxy: settings }) =>
    settings === undefined ? 'its configuration has no "relengAPIProxy"' : undefined,
  problems(request) {
    const permissions = permissionsOf(request);
    if (permissions === undefined || permissions.granted.length > 0) {
      return [];
    }
    const needed = `${permissionScopePrefix}<permission>`;
    return [
      ...refusals(permissions).map((message) => ({ path: 'scopes', message })),
      {
        path: 'scopes',
        message:
          `Insufficient scopes to use 'relengAPIProxy' feature. ` +
          `Try adding ${needed} to the .scopes array, with one of: ${permissions.allowed.join(', ')}.`,
      },
    ];
  },
  notices(request) {
    const permissions = permissionsOf(request);
    return permissions === undefined ? [] : refusals(permissions);
  },
  async prepare(run) {
    const { task, host } = run;
    const settings = host.config.relengAPIProxy as RelengapiProxySettings;
    const { allow, routes, ca } = settings;
    const signs = routes?.some(({ auth }) => auth.provider === 'taskcluster-hawk') ?? false;
    return {
      sidecars: [
        sidecarRequest(
          relengapiProxy,
          async () => ({
            settings: { allow, routes: await withTokens(routes) },
            scopes: task.scopes,
            credentials: signs ? run.credentials : undefined,
            issuingToken: settings.issuingToken ?? process.env.RELENG_API_TOKEN,
            host: settings.host,
            ca: ca === undefined ? undefined : await readFile(ca, 'utf8'),
          }),
          { followsCredentials: signs },
        ),
      ],
    };
  },
};

function permissionsOf({ task, config }: FeatureRequest): (Permissions & { allowed: string[] }) | undefined {
  const allowed = config.relengAPIProxy?.allow;
  return allowed && { ...permissionsFromScopes(task.scopes, allowed), allowed };
}

function refusals({ refused }: Permissions): string[] {
  return refused.map(({ scope, reason }) => `relengAPIProxy: the scope ${scope} gives nothing: ${reason}`);
}

/** The files are this host's, which the sidecar does not see. */
async function withTokens(routes: Routes): Promise<Routes> {
  return (
    routes &&
    (await Promise.all(
      routes.map(async (route) => {
        const { auth } = route;
        if (auth.provider !== 'static-token-file' || auth.file === undefined) {
          return route;
        }
        const token = (await readFile(auth.file, 'utf8')).trim();
        return { ...route, auth: { provider: auth.provider, token } };
      }),
    ))
  );
}
