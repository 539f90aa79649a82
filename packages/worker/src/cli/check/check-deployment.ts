import taskcluster, { type Client } from 'taskcluster-client';
import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { request } from 'undici';
import { z } from 'zod';
import type { WorkerConfig } from '../../config/config.ts';
import type { RequiredScope } from '../../features/feature.ts';
import { UserError } from '../../user-error.ts';
import { scopesOfEverybody, scopesOfWorker } from './required-scopes.ts';

/** Taskcluster accepts a signature whose time is off by this much. */
const toleratedSkewMs = 15 * 60 * 1000;
const timeoutMs = 10_000;

const Authentication = z.looseObject({
  status: z.enum(['auth-success', 'no-auth', 'auth-failed']),
  scopes: z.array(z.string()).default([]),
  message: z.string().optional(),
});

/**
 * Whether a deployment answers and lets this worker do all that it may have to do.
 *
 * @returns what is in the way, each with its fix
 * @throws UserError when nothing else can be asked
 */
export async function deploymentProblems(config: WorkerConfig): Promise<string[]> {
  await requireTaskcluster(config.rootUrl);
  const [own, everybodys] = await Promise.all([ownScopes(config), everybodysScopes(config)]);
  const { clientId } = config.taskcluster;
  return [
    ...lacked(own, scopesOfWorker(config)).map(
      ({ scope, without }) =>
        `The credentials of "taskcluster" lack the scope ${scope}. Without it ${without}. Grant it to ${clientId}, ` +
        'or to a role that it has.',
    ),
    ...lacked(everybodys, scopesOfEverybody).map(
      ({ scope, without }) =>
        `The role "anonymous" of the deployment, which is everybody's, lacks the scope ${scope}. Without it ${without}. ` +
        'Make the role, or add to it.',
    ),
  ];
}

async function requireTaskcluster(rootUrl: string): Promise<void> {
  const ping = await request(`${rootUrl}/api/queue/v1/ping`, {
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  }).catch((error: Error) => {
    throw new UserError(`No Taskcluster answers at rootUrl ${rootUrl} (${error.message}): check "rootUrl".`);
  });
  await ping.body.dump();
  if (ping.statusCode !== 200) {
    throw new UserError(
      `${rootUrl} answers, but not as a Taskcluster (HTTP ${ping.statusCode}): check "rootUrl".`,
    );
  }
  const skew = Date.now() - Date.parse(String(ping.headers.date));
  if (Math.abs(skew) > toleratedSkewMs) {
    throw new UserError(
      `This machine's clock is off by ${Math.round(skew / 1000)} s: set it, or every call will be refused.`,
    );
  }
}

/** Asked by letting the auth service look at a signature: to ask for one's own scopes is a right in itself. */
async function ownScopes({ rootUrl, taskcluster: credentials }: WorkerConfig): Promise<string[]> {
  const auth = new taskcluster.Auth({ rootUrl, credentials, retries: 1, timeout: timeoutMs });
  const { status, scopes, message } = await authenticated(auth, auth.buildSignedUrl(auth.currentScopes));
  if (status !== 'auth-success') {
    throw new UserError(`The credentials of "taskcluster" are refused (${message ?? status}): renew them.`);
  }
  return scopes;
}

async function everybodysScopes({ rootUrl }: WorkerConfig): Promise<string[]> {
  const auth = new taskcluster.Auth({ rootUrl, retries: 1, timeout: timeoutMs });
  return (await authenticated(auth, auth.buildUrl(auth.currentScopes))).scopes;
}

async function authenticated(auth: Client, signedUrl: string): Promise<z.infer<typeof Authentication>> {
  const { pathname, search, hostname, port, protocol } = new URL(signedUrl);
  const request = {
    ...{ method: 'get', resource: `${pathname}${search}`, host: hostname },
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  };
  try {
    return Authentication.parse(await auth.authenticateHawk(request));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw new UserError(
      `The deployment did not tell which scopes there are (${code ?? message.split('\n')[0]}): try again.`,
    );
  }
}

function lacked(scopes: string[], required: readonly RequiredScope[]): RequiredScope[] {
  return required.filter(({ scope }) => !satisfiesExpression(scopes, scope));
}
