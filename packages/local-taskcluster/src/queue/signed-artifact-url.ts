import { uri } from 'hawk';
import type { Client } from '../auth/clients.ts';

const LIFE_SECONDS = 15 * 60;

/** The address of an artifact of a task's latest run; one that is not public is signed, for a quarter of an hour. */
export function signedArtifactUrl(
  rootUrl: string,
  { clientId, accessToken }: Client,
  { taskId, name }: { taskId: string; name: string },
): string {
  const url = `${rootUrl}/api/queue/v1/task/${taskId}/artifacts/${encodeURIComponent(name)}`;
  if (name.startsWith('public/')) return url;
  const ext = JSON.stringify({ authorizedScopes: [`queue:get-artifact:${name}`] });
  const bewit = uri.getBewit(url, {
    credentials: { id: clientId, key: accessToken, algorithm: 'sha256' },
    ttlSec: LIFE_SECONDS,
    localtimeOffsetMsec: 0,
    ext: Buffer.from(ext).toString('base64'),
  });
  return `${url}?bewit=${bewit}`;
}
