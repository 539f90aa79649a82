import { expect, test } from '@jest/globals';
import { startForTest, type TestTaskcluster } from './testing/start.ts';
import { createTask, taskDefinition } from './testing/task.ts';

async function call({ url }: TestTaskcluster, path: string, init?: RequestInit) {
  const answer = await fetch(`${url}${path}`, init);
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text && JSON.parse(text) };
}

test('an endpoint that does not exist is a Taskcluster error', async () => {
  await using local = await startForTest();

  const { status, body } = await call(local, '/api/queue/v1/nothing?bewit=hidden');

  expect(status).toBe(404);
  expect(body).toMatchObject({ code: 'ResourceNotFound', requestInfo: { method: '', params: {} } });
  expect(body.message).toContain('* statusCode: 404');
  expect(JSON.stringify(body)).not.toContain('hidden');
});

test('every answer may be read by web pages, which may ask before', async () => {
  await using local = await startForTest();

  const answers = await Promise.all([
    call(local, '/api/queue/v1/ping'),
    call(local, '/nothing'),
    call(local, '/api/queue/v1/claim-work/a%2Fb', { method: 'OPTIONS' }),
  ]);

  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200]);
  for (const { headers } of answers) expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(answers[2]?.headers.get('access-control-allow-methods')).toContain('PUT');
});

test.each([
  ['no JSON', 'application/json', '{'],
  ['another content type', 'text/plain', '{}'],
])('a body that is %s is malformed', async (_what, type, body) => {
  await using local = await startForTest();
  const headers = { 'content-type': type };

  const answer = await call(local, '/api/queue/v1/tasks', { method: 'POST', headers, body });

  expect(answer).toMatchObject({ status: 400, body: { code: 'MalformedPayload' } });
});

test('a body of more than 10 MB is refused', async () => {
  await using local = await startForTest();
  const payload = { text: 'x'.repeat(10 * 1024 * 1024) };

  await expect(createTask(local, { payload })).rejects.toMatchObject({
    statusCode: 413,
    code: 'InputTooLarge',
  });
});

test('a parameter in the URL that does not have the right form is refused', async () => {
  await using local = await startForTest();

  const answers = await Promise.all(
    ['/api/queue/v1/task/not-a-slugid', '/api/queue/v1/pending/no-slash', '/api/queue/v1/task/%ZZ'].map(
      (path) => call(local, path),
    ),
  );

  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidRequestArguments' } });
  }
});

test('a limit that is no number is refused', async () => {
  await using local = await startForTest();

  for (const limit of ['0', '1001', 'many']) {
    await expect(local.secrets.list({ limit })).rejects.toMatchObject({ code: 'InvalidRequestArguments' });
  }
});

test('a query parameter that is given twice is refused', async () => {
  await using local = await startForTest();

  const { status, body } = await call(local, '/api/auth/v1/clients/?prefix=a&prefix=b');

  expect([status, body.code]).toEqual([400, 'InvalidRequestArguments']);
});

test('slashes in the last parameter of a route need not be encoded', async () => {
  await using local = await startForTest();

  const { status, body } = await call(local, '/api/queue/v1/pending/a/b');

  expect([status, body]).toEqual([
    200,
    { provisionerId: 'a', workerType: 'b', taskQueueId: 'a/b', pendingTasks: 0 },
  ]);
});

test('a payload may hold any JSON', async () => {
  await using local = await startForTest();
  const payload = JSON.parse(
    '{"__proto__": {"x": 1}, "constructor": null, "list": [[], {}], "ü": "\\u0000"}',
  );
  const taskId = await createTask(local, { payload });

  const task = await local.queue.task(taskId);

  expect(JSON.stringify(task.payload)).toBe(JSON.stringify(payload));
});

test('what is not valid is said with the path to it', async () => {
  await using local = await startForTest();
  const refused = createTask(local, { metadata: { ...taskDefinition().metadata, name: 5 }, retries: 50 });

  const { message } = await refused.then(
    () => new Error('accepted'),
    (error: Error) => error,
  );

  expect(message).toContain('metadata.name');
  expect(message).toContain('retries');
});
