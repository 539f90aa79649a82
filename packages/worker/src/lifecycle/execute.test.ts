import { expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { testConfig } from '../config-file/testing/worker-config.ts';
import type { RunningContainer } from '../containers/task-container.ts';
import type { Payload } from '../payload/payload.ts';
import { openRun, type RunHost } from '../run/run.ts';
import { execute } from './execute.ts';
import type { Prepared } from './prepare.ts';

test('a run that was aborted ends, and is counted, although its container survives being killed', async () => {
  await using resources = new AsyncDisposableStack();
  const overdue = jest.fn();
  const killed = Promise.withResolvers<void>();
  const host = {
    ...{ config: testConfig(), version: '0', workerName: 'test', logger: pino({ level: 'silent' }) },
    ...{ stopping: new AbortController().signal, warmUnits: { refill() {} } },
    metrics: { overdueRuns: { inc: overdue } },
  } as unknown as RunHost;
  const expires = new Date(Date.now() + 60_000).toJSON();
  const run = await openRun(
    host,
    {
      ...{ status: { taskId: 'a'.repeat(22), expires }, runId: 0, takenUntil: expires },
      credentials: { clientId: 'task', accessToken: 'token' },
      task: {
        ...{ created: expires, deadline: expires, expires, scopes: [], payload: {} },
        metadata: { name: 'a' },
      },
    },
    resources,
  );
  const running: RunningContainer = {
    id: 'container',
    exited: new Promise(() => {}),
    async kill() {
      killed.resolve();
      await new Promise(() => {});
    },
    archive: () => new Promise(() => {}),
  };
  const prepared: Prepared = {
    container: { id: 'container', start: async () => running, async [Symbol.asyncDispose]() {} },
    ...{ contributions: [], sidecars: [] },
  };

  const executing = execute(run, { maxRunTime: 0.01 } as Payload, prepared, { exitMs: 50 });
  await killed.promise;

  expect(await executing).toEqual({ resolution: { kind: 'failed' }, exitCode: -1 });
  expect(overdue).toHaveBeenCalledTimes(1);
  expect(run.mayRun).toBe(true);
});
