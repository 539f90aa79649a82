import { type HawkCredentials, HawkKey } from '@docker-worker/service-kit';
import { parseCertificate } from './certificate.ts';
import type { ProxyCredentials } from './proxy-credentials.ts';
import { scopeHeader } from './scope-header.ts';

/** Everything that depends on the credentials, computed once for all requests signed with them. */
export interface CredentialSnapshot extends HawkCredentials {
  /** Debug headers of every answer, as a flat list of names and values. */
  debugHeaders: readonly string[];
}

/** What stays the same when credentials are replaced. */
export interface SnapshotContext {
  /** Absent: no restriction; an empty list: nothing is allowed. */
  authorizedScopes?: readonly string[];
  version: string;
  revision: string;
}

export function takeSnapshot(credentials: ProxyCredentials, context: SnapshotContext): CredentialSnapshot {
  const { clientId, accessToken } = credentials;
  const { authorizedScopes, version, revision } = context;
  const certificate = credentials.certificate ? parseCertificate(credentials.certificate) : undefined;

  const debugHeaders = ['X-Taskcluster-Proxy-Version', version, 'X-Taskcluster-Proxy-Revision', revision];
  if (certificate) {
    debugHeaders.push('X-Taskcluster-Proxy-Temp-ClientId', clientId);
    debugHeaders.push('X-Taskcluster-Proxy-Temp-Scopes', scopeHeader(certificate.scopes));
  } else {
    debugHeaders.push('X-Taskcluster-Proxy-Perm-ClientId', clientId);
  }
  if (authorizedScopes) debugHeaders.push('X-Taskcluster-Authorized-Scopes', scopeHeader(authorizedScopes));

  return {
    id: clientId,
    key: new HawkKey(accessToken),
    ext: certificate || authorizedScopes ? base64Json({ certificate, authorizedScopes }) : undefined,
    debugHeaders,
  };
}

function base64Json(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}
