import { HawkKey, signUrl } from '@docker-worker/service-kit';
import type { Credentials } from '@docker-worker/service-kit/control';

export interface BuildSigner {
  /** Without a slash at its end; absent: nothing is signed. */
  rootUrl: string | undefined;
  credentials: Credentials | undefined;
  authorizedScopes: readonly string[] | undefined;
}

/**
 * The URL as the cloud is to fetch it. One of the Taskcluster deployment itself is signed for an hour, with
 * the credentials and the restriction that the task's own proxy would use; any other leaves as it came.
 */
export function buildUrl(build: string, { rootUrl, credentials, authorizedScopes }: BuildSigner): string {
  if (rootUrl === undefined || credentials === undefined || !isBelow(build, rootUrl)) return build;
  const { clientId: id, accessToken, certificate } = credentials;
  const ext = {
    ...(certificate ? { certificate: JSON.parse(certificate) as unknown } : {}),
    ...(authorizedScopes ? { authorizedScopes } : {}),
  };
  const signed = signUrl(build, {
    id,
    key: new HawkKey(accessToken),
    ext: Object.keys(ext).length > 0 ? Buffer.from(JSON.stringify(ext)).toString('base64') : undefined,
  });
  return signed ?? build;
}

/** Same scheme, host and port, and a path below; whatever else looks alike is somebody else's. */
function isBelow(text: string, rootUrl: string): boolean {
  const url = URL.parse(text);
  const root = new URL(rootUrl);
  const folder = root.pathname.replace(/\/*$/, '/');
  return (
    url !== null &&
    url.origin === root.origin &&
    url.username === '' &&
    url.password === '' &&
    url.pathname.startsWith(folder)
  );
}
