import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../errors.ts';
import type { Dependencies } from './dependencies.ts';
import type { CreateTaskRequest, TaskDefinition } from './task-definition.ts';
import type { TaskGroups } from './task-groups.ts';
import type { TaskLifecycle } from './task-lifecycle.ts';
import type { TaskRecord } from './task-record.ts';

const DAY_MS = 24 * 60 * 60_000;
const CLOCK_DRIFT_MS = 15 * 60_000;
const LONGEST_DEADLINE_MS = 5 * DAY_MS + CLOCK_DRIFT_MS;
const DEFAULT_LIFE_MS = 365 * DAY_MS;

export interface CreateTaskOptions {
  lifecycle: TaskLifecycle;
  groups: TaskGroups;
  dependencies: Dependencies;
}

/** Creates a task, or finds the one that an earlier call with the same definition made. Needs a transaction. */
export function createTask(
  taskId: string,
  request: CreateTaskRequest,
  { lifecycle, groups, dependencies }: CreateTaskOptions,
): TaskRecord {
  const task = completeDefinition(taskId, request);
  const existing = lifecycle.find(taskId);
  if (existing) {
    if (isDeepStrictEqual(existing.task, task)) return existing;
    throw new ApiError(
      'RequestConflict',
      `taskId \`${taskId}\` already used by another task. This could be the result of faulty idempotency!`,
    );
  }
  checkTimes(task);
  groups.join(taskId, task);
  const record: TaskRecord = { taskId, task, retriesLeft: task.retries, runs: [] };
  lifecycle.create(record);
  dependencies.track(record);
  lifecycle.watchDeadline(record);
  return record;
}

function completeDefinition(taskId: string, request: CreateTaskRequest): TaskDefinition {
  const defaultExpiry = () => new Date(new Date(request.deadline).getTime() + DEFAULT_LIFE_MS).toJSON();
  const task = {
    ...request,
    taskGroupId: request.taskGroupId ?? taskId,
    expires: request.expires ?? defaultExpiry(),
  };
  // As it will be read back: a key set to undefined is gone in JSON, and would differ in a comparison.
  return JSON.parse(JSON.stringify(task)) as TaskDefinition;
}

function checkTimes(task: TaskDefinition): void {
  const now = Date.now();
  const [created, deadline, expires] = [task.created, task.deadline, task.expires].map((text) =>
    Date.parse(text),
  ) as [number, number, number];
  if (Math.abs(created - now) > CLOCK_DRIFT_MS) {
    throw new ApiError(
      'InputError',
      `Created ${task.created} is more than ${CLOCK_DRIFT_MS / 60_000} minutes away from now`,
    );
  }
  if (created > deadline) throw new ApiError('InputError', 'Deadline cannot be past created');
  if (deadline < now) throw new ApiError('InputError', 'Deadline must be in the future');
  if (deadline > now + LONGEST_DEADLINE_MS) {
    throw new ApiError('InputError', 'Deadline cannot be more than 5 days into the future');
  }
  if (expires < deadline) throw new ApiError('InputError', 'Expires cannot be before the deadline');
  if (task.scopes.some((scope) => scope.endsWith('**'))) {
    throw new ApiError('InputError', 'scopes must not end with `**`');
  }
  for (const artifactExpires of artifactExpiries(task.payload.artifacts)) {
    if (Date.parse(artifactExpires) > expires) {
      throw new ApiError(
        'InputError',
        `Artifact expires ${artifactExpires} occurs after task expires ${task.expires}`,
      );
    }
  }
}

/** Payloads of docker-worker name their artifacts in an object, those of generic-worker in a list. */
function artifactExpiries(artifacts: unknown): string[] {
  if (typeof artifacts !== 'object' || artifacts === null) return [];
  return Object.values(artifacts)
    .map((artifact: unknown) => (artifact as { expires?: unknown } | null)?.expires)
    .filter((expires) => typeof expires === 'string');
}
