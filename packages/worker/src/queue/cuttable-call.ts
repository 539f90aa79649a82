import type { Credentials } from '@docker-worker/service-kit/control';
import taskcluster, { type Client } from 'taskcluster-client';
import { unlessAborted } from '../async/unless-aborted.ts';

/**
 * Makes one call, once. When `signal` aborts, the connection is cut and the promise rejects: the queue sees
 * that its caller has hung up, and does nothing more for it.
 */
export async function cuttableCall<T>(
  options: { rootUrl: string; credentials: Credentials; timeoutMs: number },
  signal: AbortSignal,
  call: (queue: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { rootUrl, credentials, timeoutMs } = options;
  const queue = new taskcluster.Queue({
    rootUrl,
    credentials,
    timeout: timeoutMs,
    retries: 0,
    // Connections of this call's own, so that they can be cut without touching any other.
    agent: {},
  });
  const hangUp = () => {
    for (const agent of [queue._httpAgent.http, queue._httpAgent.https]) {
      // A connection that is not open yet must not be opened any more.
      agent.createConnection = () => {
        throw signal.reason;
      };
      agent.destroy();
    }
  };
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    return await unlessAborted(signal, call(queue));
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}
