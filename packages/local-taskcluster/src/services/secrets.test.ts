import { expect, test } from '@jest/globals';
import { notExercised, startForTest } from '../testing/start.ts';
import { inMs } from '../testing/task.ts';

test('a secret is read back as it was set, listed, and gone after its removal', async () => {
  await using local = await startForTest();
  const { secrets } = local;
  const secret = { greeting: 'hello', nested: { list: [1, null] } };
  await secrets.ping();
  await secrets.set('project/one', { secret, expires: inMs(60_000) });

  const read = await secrets.get('project/one');
  const { secrets: names } = await secrets.list();
  await secrets.remove('project/one');

  expect(read.secret).toEqual(secret);
  expect(names).toEqual(['project/one']);
  await expect(secrets.get('project/one')).rejects.toMatchObject({
    statusCode: 404,
    code: 'ResourceNotFound',
  });
  expect(notExercised(local, 'secrets')).toEqual([]);
});

test('an expired secret is neither found nor listed', async () => {
  await using local = await startForTest();
  await local.secrets.set('old', { secret: {}, expires: inMs(-1000) });

  await expect(local.secrets.get('old')).rejects.toMatchObject({ statusCode: 404, code: 'ResourceNotFound' });
  expect(await local.secrets.list()).toEqual({ secrets: [] });
});

test('lists come in pages of the size asked for', async () => {
  await using local = await startForTest();
  const { secrets } = local;
  for (const name of ['c', 'a', 'b']) await secrets.set(name, { secret: {}, expires: inMs(60_000) });

  const first = await secrets.list({ limit: 2 });
  const second = await secrets.list({ limit: 2, continuationToken: first.continuationToken });

  expect(first.secrets).toEqual(['a', 'b']);
  expect(second).toEqual({ secrets: ['c'] });
});

test('a caller without the scope for this one secret is refused', async () => {
  await using local = await startForTest();
  await local.secrets.set('mine', { secret: { key: 'value' }, expires: inMs(60_000) });
  const other = local.as(local.credentials, ['secrets:get:yours']).secrets;

  await expect(other.get('mine')).rejects.toMatchObject({ statusCode: 403, code: 'InsufficientScopes' });
});

test('the secret is not repeated in the error for a request that is not valid', async () => {
  await using local = await startForTest();
  const refused = local.secrets.set('x', { secret: { key: 'hidden-value' }, expires: 'never' });

  const { body } = await refused.catch((error: { body: object }) => error);

  expect(body).toMatchObject({
    code: 'InputValidationError',
    requestInfo: { payload: { secret: '(OMITTED)' } },
  });
  expect(JSON.stringify(body)).not.toContain('hidden-value');
});
