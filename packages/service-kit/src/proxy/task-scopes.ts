import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { ServiceError } from '../service-error.ts';
import { gatewayError } from './gateway-error.ts';

const TaskDefinition = z.object({ scopes: z.array(z.string()).default([]) });

const attempts = 5;
const firstPauseMs = 500;

export interface TaskScopesOptions {
  rootUrl: string;
  taskId: string;
  dispatcher: Dispatcher;
  signal: AbortSignal;
}

/** Scopes of a task, asked of the queue without credentials. Tries for about eight seconds, then throws a ServiceError. */
export async function taskScopes(options: TaskScopesOptions): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    const result = await ask(options);
    if ('scopes' in result) return result.scopes;
    if (attempt === attempts || !result.mayPass) {
      throw new ServiceError(`the task cannot be fetched: ${result.problem}`);
    }
    await delay(firstPauseMs * 2 ** (attempt - 1), undefined, { signal: options.signal });
  }
}

type Result = { scopes: string[] } | { problem: string; mayPass: boolean };

async function ask({ rootUrl, taskId, dispatcher, signal }: TaskScopesOptions): Promise<Result> {
  const { origin, host, pathname } = new URL(rootUrl);
  const path = `${pathname.replace(/\/$/, '')}/api/queue/v1/task/${taskId}`;
  try {
    const { statusCode, body } = await dispatcher.request({ origin, path, method: 'GET', signal });
    const text = await body.text();
    if (statusCode !== 200)
      return { problem: `the queue answered ${statusCode}`, mayPass: statusCode >= 500 };
    const task = TaskDefinition.safeParse(JSON.parse(text));
    if (!task.success) return { problem: 'the queue’s answer is no task definition', mayPass: false };
    return { scopes: task.data.scopes };
  } catch (error) {
    return { problem: gatewayError(error, { method: 'GET', host }).body.message, mayPass: true };
  }
}
