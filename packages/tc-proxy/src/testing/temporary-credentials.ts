import taskcluster from 'taskcluster-client';
import type { ProxyCredentials } from '../signing/proxy-credentials.ts';
import { permanent } from './hawk-upstream.ts';

/** Temporary credentials as the queue hands them out, issued by the client that the upstream knows. */
export function temporaryCredentials(scopes: string[], clientId?: string): ProxyCredentials {
  const credentials = taskcluster.createTemporaryCredentials({
    ...(clientId ? { clientId } : {}),
    start: new Date(Date.now() - 60_000),
    expiry: new Date(Date.now() + 3_600_000),
    scopes,
    credentials: permanent,
  });
  const { certificate } = credentials;
  return {
    ...credentials,
    certificate: typeof certificate === 'string' ? certificate : JSON.stringify(certificate),
  };
}
