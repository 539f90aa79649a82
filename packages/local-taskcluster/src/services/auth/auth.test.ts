import { expect, test } from '@jest/globals';
import hawk from 'hawk';
import { notExercised, startForTest } from '../../testing/start.ts';
import { inMs } from '../../testing/task.ts';

const expires = inMs(3600_000);
const client = (scopes: string[]) => ({ description: 'for a test', expires, scopes });

test('a new client works with its access token until the token is reset', async () => {
  await using local = await startForTest();
  const created = await local.auth.createClient('test/one', client(['secrets:get:*']));
  const { clientId, accessToken } = created;
  const { scopes } = await local.as({ clientId, accessToken }).auth.currentScopes();

  const reset = await local.auth.resetAccessToken('test/one');

  expect(scopes).toContain('secrets:get:*');
  await expect(local.as({ clientId, accessToken }).auth.currentScopes()).rejects.toMatchObject({
    statusCode: 401,
    code: 'AuthenticationFailed',
  });
  const fresh = local.as({ clientId, accessToken: reset.accessToken }).auth;
  expect(await fresh.currentScopes()).toEqual({ scopes });
});

test('clients are listed by prefix and never show their access token', async () => {
  await using local = await startForTest();
  for (const name of ['a/2', 'a/1', 'b/1']) await local.auth.createClient(name, client([]));

  const { clients } = await local.auth.listClients({ prefix: 'a/' });
  const one = await local.as({}).auth.client('a/1');

  expect(clients.map(({ clientId }: { clientId: string }) => clientId)).toEqual(['a/1', 'a/2']);
  expect(one).toEqual(clients[0]);
  expect(one).not.toHaveProperty('accessToken');
});

test('nobody can create a client with more scopes than their own', async () => {
  await using local = await startForTest();
  const limited = local.as(local.credentials, ['auth:create-client:mine/*', 'secrets:get:mine']).auth;

  await limited.createClient('mine/ok', client(['secrets:get:mine']));

  for (const [name, scopes] of [
    ['mine/more', ['secrets:get:yours']],
    ['yours/one', ['secrets:get:mine']],
  ] as const) {
    await expect(limited.createClient(name, client([...scopes]))).rejects.toMatchObject({ statusCode: 403 });
  }
});

test('an expired client is refused', async () => {
  await using local = await startForTest();
  const created = await local.auth.createClient('old', { ...client([]), expires: inMs(-1000) });
  const { clientId, accessToken } = created;

  await expect(local.as({ clientId, accessToken }).auth.currentScopes()).rejects.toMatchObject({
    statusCode: 401,
  });
});

test('createClient can be repeated, with no other scopes', async () => {
  await using local = await startForTest();
  const created = await local.auth.createClient('one', client(['a', 'b']));

  const again = await local.auth.createClient('one', client(['b', 'a']));

  expect(again.accessToken).toBe(created.accessToken);
  await expect(local.auth.createClient('one', client(['c']))).rejects.toMatchObject({ statusCode: 409 });
});

test('roles are expanded, through patterns and parameters, until nothing is new', async () => {
  await using local = await startForTest();
  const { auth } = local;
  const role = (scopes: string[]) => ({ description: 'for a test', scopes });
  await auth.createRole(
    'repo:github.com/*',
    role(['assume:trusted', 'secrets:get:repo/<..>/key', 'build:<..>*']),
  );
  await auth.createRole('trusted', role(['deep:scope', 'assume:repo:github.com/*']));

  const one = await auth.expandScopes({ scopes: ['assume:repo:github.com/a/b'] });
  const wild = await auth.expandScopes({ scopes: ['assume:trus*'] });
  const none = await auth.expandScopes({ scopes: ['assume:repo:gitlab.com/a'] });

  expect(one.scopes).toEqual(expect.arrayContaining(['deep:scope', 'build:*', 'secrets:get:repo/*']));
  expect(wild.scopes).toEqual(expect.arrayContaining(['assume:trus*', 'deep:scope', 'secrets:get:repo/*']));
  expect(none.scopes).toEqual(['assume:repo:gitlab.com/a']);
});

test('the parameter of a role is what its pattern stood for', async () => {
  await using local = await startForTest();
  const scopes = ['secrets:get:hook/<..>/key'];
  await local.auth.createRole('hook:*', { description: '', scopes });

  const expanded = await local.auth.expandScopes({ scopes: ['assume:hook:nightly'] });

  expect(expanded.scopes).toEqual(['assume:hook:nightly', 'secrets:get:hook/nightly/key']);
});

test('a change of a role counts at once', async () => {
  await using local = await startForTest();
  const { auth } = local;
  await auth.createRole('one', { description: 'first', scopes: ['a'] });
  const before = await auth.expandScopes({ scopes: ['assume:one'] });
  await auth.updateRole('one', { description: 'second', scopes: ['b'] });
  const after = await auth.expandScopes({ scopes: ['assume:one'] });
  await auth.deleteRole('one');
  const gone = await auth.expandScopes({ scopes: ['assume:one'] });

  expect([before, after, gone].map(({ scopes }) => scopes)).toEqual([
    ['a', 'assume:one'],
    ['assume:one', 'b'],
    ['assume:one'],
  ]);
});

test('what is missing is named', async () => {
  await using local = await startForTest();
  const { clientId, accessToken } = await local.auth.createClient(
    'poor',
    client(['auth:delete-client:mine']),
  );

  const refused = local.as({ clientId, accessToken }).auth.deleteClient('yours');

  const error = await refused.catch((thrown: Error & { body: object }) => thrown);
  expect(error).toMatchObject({ statusCode: 403, code: 'InsufficientScopes' });
  expect(error.message).toMatch(
    /^Client ID poor does not have sufficient scopes and is missing the following scopes:/,
  );
  expect(error.message).toContain('auth:delete-client:yours');
  expect(error.message).toMatch(
    /---\n\n\* method: {5}deleteClient\n\* errorCode: {2}InsufficientScopes\n\* statusCode: 403/,
  );
  expect(error.body).toMatchObject({
    requestInfo: { method: 'deleteClient', params: { clientId: 'yours' } },
  });
});

test('the test endpoints know the client that is made for them', async () => {
  await using local = await startForTest();
  const tester = local.as({ clientId: 'tester', accessToken: 'no-secret' });
  const request = { clientScopes: ['test:*'], requiredScopes: ['test:this'] };

  const post = await tester.auth.testAuthenticate(request);
  const get = await fetch(tester.auth.buildSignedUrl(tester.auth.testAuthenticateGet));
  const lacking = tester.auth.testAuthenticate({ ...request, requiredScopes: ['other'] });

  expect(post).toMatchObject({ clientId: 'tester', scopes: expect.arrayContaining(['test:*']) });
  expect(await get.json()).toMatchObject({ clientId: 'tester' });
  await expect(lacking).rejects.toMatchObject({ statusCode: 403 });
  await expect(tester.auth.currentScopes()).rejects.toMatchObject({ statusCode: 401 });
});

test('authenticateHawk tells other services who signed a request', async () => {
  await using local = await startForTest();
  const { clientId: id, accessToken: key } = local.credentials;
  const url = 'https://service.example.com/some/path?x=1';
  const { header } = hawk.client.header(url, 'POST', { credentials: { id, key, algorithm: 'sha256' } });
  const request = { method: 'post', resource: '/some/path?x=1', host: 'service.example.com', port: 443 };

  const known = await local.auth.authenticateHawk({ ...request, authorization: header });
  const forged = await local.auth.authenticateHawk({ ...request, resource: '/other', authorization: header });
  const nobody = await local.auth.authenticateHawk(request);

  expect(known).toMatchObject({ status: 'auth-success', scheme: 'hawk', clientId: id, scopes: ['*'] });
  expect(forged).toEqual({ status: 'auth-failed', message: 'Unauthorized: Bad mac' });
  expect(nobody).toMatchObject({ status: 'no-auth', scheme: 'none' });
});

test('every endpoint of auth works', async () => {
  await using local = await startForTest();
  const { auth } = local;
  const role = { description: 'r', scopes: [] };
  await auth.ping();
  await auth.createClient('one', client([]));
  await auth.updateClient('one', client(['a']));
  await auth.client('one');
  await auth.listClients();
  await auth.resetAccessToken('one');
  await auth.disableClient('one');
  await auth.enableClient('one');
  await auth.deleteClient('one');
  await auth.createRole('one', role);
  await auth.updateRole('one', role);
  await auth.role('one');
  await auth.listRoles();
  await auth.listRoles2();
  await auth.listRoleIds();
  await auth.deleteRole('one');
  await auth.expandScopes({ scopes: [] });
  await auth.currentScopes();
  await auth.authenticateHawk({ method: 'get', resource: '/', host: 'localhost', port: 80 });
  const tester = local.as({ clientId: 'tester', accessToken: 'no-secret' }).auth;
  await tester.testAuthenticate({ clientScopes: [], requiredScopes: [] });
  await fetch(tester.buildSignedUrl(tester.testAuthenticateGet));

  expect(notExercised(local, 'auth')).toEqual([]);
  await expect(auth.client('one')).rejects.toMatchObject({ statusCode: 404 });
  await expect(auth.role('one')).rejects.toMatchObject({ statusCode: 404 });
});
