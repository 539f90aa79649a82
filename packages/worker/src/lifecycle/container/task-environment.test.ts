import { expect, test } from '@jest/globals';
import { WorkerConfig } from '../../config-file/worker-config.ts';
import type { Run } from '../../run/run.ts';
import { taskEnvironment } from './task-environment.ts';

test('a task knows its run, its deployment and its worker', () => {
  const run = runOn({ publicIp: '192.0.2.1', workerLocation: '{"cloud":"aws"}', workerNodeType: 'm5' });

  expect(taskEnvironment(run, {}).sort()).toEqual([
    'RUN_ID=3',
    'TASKCLUSTER_INSTANCE_TYPE=m5',
    'TASKCLUSTER_PUBLIC_IP=192.0.2.1',
    'TASKCLUSTER_ROOT_URL=https://tc.example.com',
    'TASKCLUSTER_WORKER_GROUP=group',
    'TASKCLUSTER_WORKER_LOCATION={"cloud":"aws"}',
    'TASKCLUSTER_WORKER_POOL=proj/linux',
    'TASKCLUSTER_WORKER_TYPE=linux',
    'TASK_ID=abc',
  ]);
});

test('what the worker does not know is left out', () => {
  const names = taskEnvironment(runOn({}), {}).map((entry) => entry.split('=')[0]);

  expect(names).not.toContain('TASKCLUSTER_PUBLIC_IP');
  expect(names).not.toContain('TASKCLUSTER_WORKER_LOCATION');
});

test('the payload overrides what a feature contributes', () => {
  const contributed = { TASKCLUSTER_PROXY_URL: 'http://taskcluster', OTHER: 'kept' };

  const env = taskEnvironment(runOn({}), contributed, { TASKCLUSTER_PROXY_URL: 'http://mine' });

  expect(env).toContain('TASKCLUSTER_PROXY_URL=http://mine');
  expect(env).toContain('OTHER=kept');
  expect(env).not.toContain('TASKCLUSTER_PROXY_URL=http://taskcluster');
});

test.each(['TASK_ID', 'RUN_ID', 'TASKCLUSTER_ROOT_URL', 'TASKCLUSTER_WORKER_POOL'])(
  'neither the payload nor a feature overrides %s',
  (name) => {
    const env = taskEnvironment(runOn({}), { [name]: 'feature' }, { [name]: 'payload' });

    expect(env.filter((entry) => entry.startsWith(`${name}=`))).toHaveLength(1);
    expect(env).not.toContain(`${name}=payload`);
    expect(env).not.toContain(`${name}=feature`);
  },
);

test('values keep their equals signs, line feeds and emptiness', () => {
  expect(taskEnvironment(runOn({}), {}, { A: 'b=c', LINES: 'x\ny', EMPTY: '' })).toEqual(
    expect.arrayContaining(['A=b=c', 'LINES=x\ny', 'EMPTY=']),
  );
});

/** As much of a run as its environment is made of. */
function runOn(worker: object): Run {
  const config = WorkerConfig.parse({
    rootUrl: 'https://tc.example.com/',
    taskcluster: { clientId: 'c', accessToken: 'a' },
    ...{ provisionerId: 'proj', workerType: 'linux', workerGroup: 'group', workerId: 'w' },
    ...worker,
  });
  return { taskId: 'abc', runId: 3, host: { config } } as Run;
}
