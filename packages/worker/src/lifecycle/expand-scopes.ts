import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import { RunFailure } from '../run/resolution.ts';
import type { Run } from '../run/run.ts';

const ScopeSet = z.looseObject({ scopes: z.array(z.string()) });

/**
 * The scopes of a run's task with its `assume:` roles expanded, by the auth service; scopes that stand for no role are not
 * asked about.
 *
 * @throws RunFailure that gives the run back: that this worker cannot ask is no fault of the task
 */
export async function expandScopes({ task, logger, host: { config } }: Run): Promise<string[]> {
  if (!task.scopes.some(mayAssume)) {
    return task.scopes;
  }
  const auth = new taskcluster.Auth({ rootUrl: config.rootUrl, credentials: config.taskcluster });
  try {
    return ScopeSet.parse(await auth.expandScopes({ scopes: task.scopes })).scopes;
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string };
    const reason =
      statusCode === 403
        ? `its credentials lack the scope auth:expand-scopes; its operator has to grant it to ${config.taskcluster.clientId}`
        : message.split('\n')[0];
    logger.error({ err: error }, '[alert-operator] the scopes of a task could not be expanded');
    throw new RunFailure(
      { kind: 'exception', reason: 'worker-shutdown' },
      `This worker cannot find out which scopes the task has by its roles: ${reason}. The task is given back.`,
      { cause: error },
    );
  }
}

function mayAssume(scope: string): boolean {
  const [stem] = scope.split('*', 1) as [string];
  return scope.startsWith('assume:') || (scope.endsWith('*') && 'assume:'.startsWith(stem));
}
