import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Credentials } from '@docker-worker/service-kit/control';
import taskcluster, { type Client } from 'taskcluster-client';
import { z } from 'zod';
import { TaskId } from './task-id.ts';

// The client's own agents make a connection for each call. None is kept for so long that something on its way forgets it.
const kept = { keepAlive: true, timeout: 10_000, maxSockets: 50 };
Object.assign(taskcluster.agents, { http: new HttpAgent(kept), https: new HttpsAgent(kept) });

const Time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time');

/** The parts of the queue's answers that the worker relies on; whatever else they hold is kept. */
export const TaskDefinition = z.looseObject({
  taskQueueId: z.string().optional(),
  provisionerId: z.string().optional(),
  workerType: z.string().optional(),
  created: Time,
  deadline: Time,
  expires: Time,
  scopes: z.array(z.string()).default([]),
  payload: z.unknown(),
  metadata: z.looseObject({ name: z.string() }),
});
export type TaskDefinition = z.infer<typeof TaskDefinition>;

/** One claimed run of one task: an element of `claimWork`'s answer. */
export const Claim = z.looseObject({
  status: z.looseObject({ taskId: TaskId, expires: Time }),
  runId: z.int().min(0),
  takenUntil: Time,
  task: TaskDefinition,
  credentials: Credentials,
});
export type Claim = z.infer<typeof Claim>;

export const ClaimWorkAnswer = z.looseObject({ tasks: z.array(Claim) });

/** `reclaimTask` renews the time and the credentials of a claim. */
export const Reclaim = Claim.pick({ runId: true, takenUntil: true, credentials: true });
export type Reclaim = z.infer<typeof Reclaim>;

export function queueClient(rootUrl: string, credentials: Credentials, timeout?: number): Client {
  return new taskcluster.Queue({ rootUrl, credentials, ...(timeout === undefined ? {} : { timeout }) });
}
