import { z } from 'zod';
import { ApiError } from '../errors.ts';
import {
  datetime,
  jsonObject,
  projectId,
  provisionerId,
  scope,
  slugid,
  taskQueueId,
  uniqueList,
  workerType,
} from '../fields.ts';

/** From the most to the least urgent. */
export const PRIORITIES = ['highest', 'very-high', 'high', 'medium', 'low', 'very-low', 'lowest'] as const;

export type Priority = (typeof PRIORITIES)[number];

export const priority = z.enum(PRIORITIES);

const requestSchema = z.strictObject({
  taskQueueId: taskQueueId.optional(),
  provisionerId: provisionerId.optional(),
  workerType: workerType.optional(),
  schedulerId: z
    .string()
    .min(1)
    .max(38)
    .regex(/^[a-zA-Z0-9-_]*$/)
    .default('-'),
  projectId: projectId.default('none'),
  taskGroupId: slugid.optional(),
  dependencies: uniqueList(slugid).max(10_000).default([]),
  requires: z.enum(['all-completed', 'all-resolved']).default('all-completed'),
  routes: uniqueList(z.string().min(1).max(249)).max(64).default([]),
  priority: priority.default('lowest'),
  retries: z.int().min(0).max(49).default(5),
  created: datetime,
  deadline: datetime,
  expires: datetime.optional(),
  scopes: z.array(scope).default([]),
  payload: jsonObject,
  metadata: z.strictObject({
    name: z.string().max(255),
    description: z.string().max(32_768),
    owner: z.string().max(255),
    source: z
      .string()
      .max(4096)
      .regex(/^(https?:\/\/|ssh:\/\/|git@)/),
  }),
  tags: z.record(z.string(), z.string().max(4096)).default({}),
  extra: jsonObject.default({}),
});

/** A createTask request with its defaults; the task queue is named in both ways. */
export const createTaskRequest = requestSchema.transform((request) => {
  const { provisionerId: half, workerType: otherHalf } = request;
  const inHalves = half !== undefined || otherHalf !== undefined;
  if (request.taskQueueId === undefined ? half === undefined || otherHalf === undefined : inHalves) {
    throw new ApiError('InputError', 'Either taskQueueId or both provisionerId and workerType must be given');
  }
  const queue = request.taskQueueId ?? `${request.provisionerId}/${request.workerType}`;
  const [provisioner = '', type = ''] = queue.split('/');
  return { ...request, taskQueueId: queue, provisionerId: provisioner, workerType: type };
});

export type CreateTaskRequest = z.infer<typeof createTaskRequest>;

export interface TaskDefinition extends CreateTaskRequest {
  taskGroupId: string;
  expires: string;
}
