import type { Credentials } from '@docker-worker/service-kit/control';
import taskcluster from 'taskcluster-client';
import { z } from 'zod';

/** worker-manager has this endpoint; the client library is too old to know it. */
const WorkerManager = taskcluster.createClient(
  {
    serviceName: 'worker-manager',
    apiVersion: 'v1',
    entries: [
      {
        type: 'function',
        name: 'shouldWorkerTerminate',
        method: 'get',
        route: '/workers/<workerPoolId>/<workerGroup>/<workerId>/should-terminate',
        args: ['workerPoolId', 'workerGroup', 'workerId'],
      },
    ],
  },
  'WorkerManager',
);

const Verdict = z.looseObject({ terminate: z.boolean(), reason: z.string() });
const timeoutMs = 10_000;

export interface RegisteredIdentity {
  rootUrl: string;
  workerPoolId: string;
  workerGroup: string;
  workerId: string;
}

/** Asks worker-manager whether it still wants this worker. */
export async function shouldTerminate(
  { rootUrl, workerPoolId, workerGroup, workerId }: RegisteredIdentity,
  credentials: Credentials,
): Promise<z.infer<typeof Verdict>> {
  const client = new WorkerManager({ rootUrl, credentials, timeout: timeoutMs, retries: 1 });
  return Verdict.parse(await client.shouldWorkerTerminate(workerPoolId, workerGroup, workerId));
}
