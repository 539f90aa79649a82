import { readFile } from 'node:fs/promises';
import {
  type Permissions,
  permissionScopePrefix,
  permissionsFromScopes,
  type RelengapiSettings,
  relengapiProxy,
} from '@docker-worker/relengapi-proxy/sidecar';
import type { z } from 'zod';
import { settingsOf } from '../../config/config.ts';
import { type Feature, type FeatureRequest, sidecarRequest } from '../feature.ts';
import { type RelengapiProxySettings, settings } from './settings.ts';

type Routes = z.input<typeof RelengapiSettings>['routes'];

/**
 * `http://relengapi` in the task: requests are authorized with a temporary token that has the permissions
 * which the task's own scopes name.
 */
export const relengAPIProxy: Feature = {
  name: 'relengAPIProxy',
  description: 'Calls the RelengAPI at http://relengapi with the permissions of the task’s scopes',
  settings,
  defaultOn: false,
  sidecars: [relengapiProxy],
  unavailable: (config) =>
    settingsOf(config, settings).relengAPIProxy === undefined
      ? 'its configuration has no "relengAPIProxy"'
      : undefined,
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
    const own = settingsOf(host.config, settings).relengAPIProxy as RelengapiProxySettings;
    const { allow, routes, ca } = own;
    const signs = routes?.some(({ auth }) => auth.provider === 'taskcluster-hawk') ?? false;
    return {
      sidecars: [
        sidecarRequest(
          relengapiProxy,
          async () => ({
            settings: { allow, routes: await withTokens(routes) },
            scopes: task.scopes,
            credentials: signs ? run.credentials : undefined,
            issuingToken: own.issuingToken ?? process.env.RELENG_API_TOKEN,
            host: own.host,
            ca: ca === undefined ? undefined : await readFile(ca, 'utf8'),
          }),
          { followsCredentials: signs },
        ),
      ],
    };
  },
};

function permissionsOf({ task, config }: FeatureRequest): (Permissions & { allowed: string[] }) | undefined {
  const allowed = settingsOf(config, settings).relengAPIProxy?.allow;
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
