import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import taskcluster, { type Client } from 'taskcluster-client';
import { taskDefinition } from '../run-task/task-definition.ts';
import { DefinitionFields } from './definition-schema.ts';

const payload = { image: 'busybox', maxRunTime: 10 };
let local: Awaited<ReturnType<typeof startLocalTaskcluster>>;
let queue: Client;

beforeAll(async () => {
  local = await startLocalTaskcluster();
  queue = new taskcluster.Queue({ rootUrl: local.rootUrl, credentials: local.credentials, retries: 0 });
});
afterAll(async () => {
  await local?.[Symbol.asyncDispose]();
});

const slugid = 'fN4hV0r2Q1CnR9kIwSxVMA';
const long = (count: number) => 'x'.repeat(count);

test.each<[object, RegExp]>([
  [{ taskGroupId: 'my-group' }, /slugid/],
  [{ taskGroupId: '0123456789012345678901' }, /slugid/],
  [{ schedulerId: 'a b' }, /letters, digits/],
  [{ schedulerId: long(39) }, /1 to 38/],
  [{ projectId: 'a b' }, /letters, digits/],
  [{ requires: 'some' }, /expected one of|Invalid option/],
  [{ routes: ['a', 'a'] }, /same entry twice/],
  [{ routes: [''] }, /must not be empty/],
  [{ routes: [long(250)] }, /at most 249/],
  [{ routes: Array.from({ length: 65 }, (_, index) => `route.${index}`) }, /at most 64/],
  [{ priority: 'urgent' }, /expected one of|Invalid option/],
  [{ retries: 50 }, /at most 49/],
  [{ retries: -1 }, /at least 0/],
  [{ retries: 1.5 }, /whole number/],
  [{ scopes: ['ä'] }, /ASCII/],
  [{ scopes: ['a**'] }, /more than one/],
  [{ metadata: { source: 'here' } }, /http:/],
  [{ metadata: { owner: long(256) } }, /at most 255/],
  [{ metadata: { name: long(256) } }, /at most 255/],
  [{ tags: { a: long(4097) } }, /at most 4096/],
  [{ tags: { a: 1 } }, /expected string/],
])('what a queue refuses is refused before there is one: %j', async (task, message) => {
  await expect(create(task)).rejects.toMatchObject({ statusCode: 400 });

  expect(DefinitionFields.safeParse(task).error?.message).toMatch(message);
});

test.each([
  {},
  { taskGroupId: slugid, schedulerId: 'taskcluster-github', projectId: 'a/b' },
  { priority: 'normal' },
  { retries: 0, routes: ['index.a.b'], scopes: ['*', 'a:*'], tags: { kind: 'x' }, extra: { treeherder: {} } },
  { requires: 'all-resolved', dependencies: [slugid] },
  { deadline: taskcluster.fromNowJSON('300 days'), expires: taskcluster.fromNowJSON('3 days') },
  { created: '2020-01-01T00:00:00Z', deadline: '2020-01-01T01:00:00Z', expires: '2020-02-01T00:00:00Z' },
  { provisionerId: 'no longer', workerType: 'anything' },
])('what is accepted is accepted by a queue as well: %j', async (task) => {
  expect(DefinitionFields.safeParse(task).success).toBe(true);

  await create(task);
});

async function create(task: object): Promise<void> {
  const taskId = taskcluster.slugid();
  const document = { name: 'test', taskId, dependencies: [], payload, task };
  await queue.createTask(taskId, taskDefinition(document, { scopes: [], env: {} }));
}
