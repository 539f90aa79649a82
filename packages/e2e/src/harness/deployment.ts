import type { IncomingHttpHeaders } from 'node:http';
import {
  type LocalTaskcluster,
  type LocalTaskclusterOptions,
  startLocalTaskcluster,
} from '@docker-worker/local-taskcluster';
import { bridgeGateway } from '@docker-worker/worker';
import taskcluster, { type Client } from 'taskcluster-client';
import { docker } from './host/host-contents.ts';

/** A Taskcluster of a test's own, reachable from the host and from containers. */
export interface Deployment extends AsyncDisposable {
  local: LocalTaskcluster;
  queue: Client;
  secrets: Client;
  /** Creates a task in the pool `test/e2e` and returns its id. */
  createTask(payload: object, definition?: object): Promise<string>;
  /** The log of a task's latest run as people read it from the queue. */
  taskLog(taskId: string): Promise<string>;
}

/** A status to answer a request with instead of doing what it asks for. */
export type Intercept = (method: string, url: string, headers: IncomingHttpHeaders) => number | undefined;

export async function startDeployment(
  options: Pick<LocalTaskclusterOptions, 'host' | 'accessToken' | 'claimSeconds' | 'anonymous'> = {},
  intercept?: Intercept,
): Promise<Deployment> {
  const local = await startLocalTaskcluster(
    { host: await bridgeGateway(docker), longPollSeconds: 1, ...options },
    (app) => {
      app.addHook('onRequest', async (request, reply) => {
        const status = intercept?.(request.method, request.url, request.headers);
        if (status !== undefined) {
          await reply.code(status).send({ code: 'MadeUp', message: 'a failure on request' });
        }
      });
    },
  );
  const client = { rootUrl: local.rootUrl, credentials: local.credentials, retries: 0 };
  const queue = new taskcluster.Queue(client);
  return {
    local,
    queue,
    secrets: new taskcluster.Secrets(client),
    async createTask(payload, definition = {}) {
      const taskId = taskcluster.slugid();
      await queue.createTask(taskId, {
        taskQueueId: 'test/e2e',
        created: taskcluster.fromNowJSON('0 seconds'),
        deadline: taskcluster.fromNowJSON('1 hour'),
        expires: taskcluster.fromNowJSON('2 hours'),
        metadata: {
          name: 'e2e',
          description: 'a test',
          owner: 'nobody@example.com',
          source: 'https://example.com',
        },
        payload: { image: 'docker-worker/example-task', maxRunTime: 60, ...payload },
        ...definition,
      });
      return taskId;
    },
    async taskLog(taskId) {
      const response = await fetch(
        queue.buildSignedUrl(queue.getLatestArtifact, taskId, 'public/logs/live.log'),
      );
      return await response.text();
    },
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  };
}
