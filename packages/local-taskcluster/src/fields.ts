import { z } from 'zod';

export const SLUGID = /^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$/;
export const IDENTIFIER = /^[a-zA-Z0-9_-]{1,38}$/;
const TASK_QUEUE_ID = /^[a-zA-Z0-9-_]{1,38}\/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$/;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** Patterns of route parameters, by name. */
export const PARAMETER_PATTERNS: Record<string, RegExp> = {
  taskId: SLUGID,
  taskGroupId: SLUGID,
  runId: /^(0|[1-9][0-9]{0,3})$/,
  taskQueueId: TASK_QUEUE_ID,
  workerPoolId: TASK_QUEUE_ID,
  workerGroup: IDENTIFIER,
  workerId: IDENTIFIER,
  name: PRINTABLE,
  clientId: /^[A-Za-z0-9!@/:.+|_-]+$/,
  roleId: PRINTABLE,
  indexPath: /^[a-zA-Z0-9_!~*'()%-]*(\.[a-zA-Z0-9_!~*'()%-]+)*$/,
  namespace: /^([a-zA-Z0-9_!~*'()%-]+(\.[a-zA-Z0-9_!~*'()%-]+)*)?$/,
};

export const slugid = z.string().regex(SLUGID);
export const identifier = z.string().regex(IDENTIFIER);
export const taskQueueId = z.string().regex(TASK_QUEUE_ID);
export const provisionerId = identifier;
export const workerType = z.string().regex(/^[a-z]([-a-z0-9]{0,36}[a-z0-9])?$/);
export const projectId = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[a-zA-Z0-9._/-]*$/);
export const scope = z.string().regex(/^[ -~]*$/);
export const contentType = z.string().max(255);

/** A point in time, written back the way Taskcluster does: in UTC with milliseconds. */
export const datetime = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toJSON());

export type JsonObject = Record<string, unknown>;

/** Any JSON object, kept as it is. */
export const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'Invalid input: expected an object',
);

export function uniqueList<T extends z.ZodType>(item: T) {
  return z.array(item).refine((list) => new Set(list).size === list.length, 'Items must be unique');
}
