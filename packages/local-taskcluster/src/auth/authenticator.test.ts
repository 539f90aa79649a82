import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import hawk from 'hawk';
import taskcluster, { type Credentials } from 'taskcluster-client';
import { startForTest, type TestTaskcluster } from '../testing/start.ts';
import { inMs } from '../testing/task.ts';

const PATH = '/api/auth/v1/scopes/current';
const MINUTE_MS = 60_000;

interface Signing {
  path?: string;
  /** Seconds that the caller's clock is off. */
  skew?: number;
  ext?: object;
  credentials?: Credentials;
  host?: string;
}

/** Signs a request as any Hawk client does and sends it. */
async function send(local: TestTaskcluster, { path = PATH, skew = 0, ext, credentials, host }: Signing = {}) {
  const { clientId, accessToken } = credentials ?? local.credentials;
  const { header } = hawk.client.header(`${host ?? local.rootUrl}${path}`, 'GET', {
    credentials: { id: clientId, key: accessToken, algorithm: 'sha256' },
    localtimeOffsetMsec: skew * 1000,
    ...(ext && { ext: Buffer.from(JSON.stringify(ext)).toString('base64') }),
  });
  const answer = await fetch(`${local.rootUrl}${path}`, { headers: { authorization: header } });
  const body = (await answer.json()) as { message?: string; scopes?: string[] };
  return { status: answer.status, message: body.message ?? '', scopes: body.scopes };
}

function temporary(local: TestTaskcluster, options: object = {}): Credentials {
  return taskcluster.createTemporaryCredentials({
    expiry: new Date(Date.now() + 10 * MINUTE_MS),
    scopes: ['secrets:get:this'],
    credentials: local.credentials,
    ...options,
  });
}

function certificateOf({ certificate }: Credentials) {
  return JSON.parse(String(certificate));
}

/** Signs a certificate whatever its content, as only somebody with the issuer's access token can. */
function forge(local: TestTaskcluster, changes: object): Signing {
  const { clientId, certificate } = temporary(local, { clientId: 'temp/one' });
  const { signature: _signature, ...changed } = { ...JSON.parse(String(certificate)), ...changes };
  const { version, issuer, seed, start, expiry, scopes } = changed;
  const hmac = (text: string) => createHmac('sha256', local.credentials.accessToken).update(text);
  const lines = [`version:${version}`, `clientId:${clientId}`, `issuer:${issuer}`, `seed:${seed}`];
  lines.push(`start:${start}`, `expiry:${expiry}`, 'scopes:', ...scopes);
  const signature = hmac(lines.join('\n')).digest('base64');
  const accessToken = hmac(seed).digest('base64url');
  return { credentials: { clientId, accessToken }, ext: { certificate: { ...changed, signature } } };
}

test('a signed request has the scopes of its client', async () => {
  await using local = await startForTest();

  expect(await send(local)).toMatchObject({ status: 200, scopes: ['*'] });
});

test('a wrong access token is refused', async () => {
  await using local = await startForTest();
  const credentials = { ...local.credentials, accessToken: 'wrong' };

  expect(await send(local, { credentials })).toMatchObject({
    status: 401,
    message: expect.stringContaining('Unauthorized: Bad mac'),
  });
});

test('an unknown client is refused by name', async () => {
  await using local = await startForTest();
  const credentials = { clientId: 'nobody', accessToken: 'x' };

  expect(await send(local, { credentials })).toMatchObject({
    status: 401,
    message: expect.stringContaining("Client with clientId 'nobody' not found"),
  });
});

test.each([
  [14, 200],
  [-14, 200],
  [16, 401],
  [-16, 401],
])('a clock that is %i minutes off gives %i', async (minutes, status) => {
  await using local = await startForTest();

  expect(await send(local, { skew: minutes * 60 })).toMatchObject({ status });
});

test('a header that is no Hawk header is refused', async () => {
  await using local = await startForTest();

  const answers = await Promise.all(
    ['Bearer x', 'Hawk', 'Hawk id="root"', 'Hawk nonsense'].map((authorization) =>
      fetch(`${local.rootUrl}${PATH}`, { headers: { authorization } }),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
});

test('temporary credentials have the scopes of their certificate', async () => {
  await using local = await startForTest();
  const credentials = temporary(local);

  const { status, scopes } = await send(local, {
    credentials,
    ext: { certificate: certificateOf(credentials) },
  });

  expect(status).toBe(200);
  expect(scopes).toContain('secrets:get:this');
  expect(scopes).not.toContain('*');
});

test('temporary credentials are nothing without their certificate', async () => {
  await using local = await startForTest();

  expect(await send(local, { credentials: temporary(local) })).toMatchObject({ status: 401 });
});

test.each([
  ['scopes', { scopes: ['*'] }, 'signature is not valid'],
  ['expiry', { expiry: Date.now() + 60 * MINUTE_MS }, 'signature is not valid'],
  ['seed', { seed: 'x'.repeat(44) }, 'signature is not valid'],
  ['version', { version: 2 }, 'ext.certificate.version'],
  ['signature', { signature: 'short' }, 'signature is not valid'],
])('a certificate with a changed %s is refused', async (_what, change, message) => {
  await using local = await startForTest();
  const credentials = temporary(local);
  const certificate = { ...certificateOf(credentials), ...change };

  expect(await send(local, { credentials, ext: { certificate } })).toMatchObject({
    status: 401,
    message: expect.stringContaining(message),
  });
});

test.each([
  ['expired four minutes ago', { expiry: Date.now() - 4 * MINUTE_MS }, 200],
  ['expired six minutes ago', { expiry: Date.now() - 6 * MINUTE_MS }, 401],
  ['starts in four minutes', { start: Date.now() + 4 * MINUTE_MS }, 200],
  ['starts in six minutes', { start: Date.now() + 6 * MINUTE_MS }, 401],
  ['lasts 32 days', { expiry: Date.now() + 32 * 24 * 60 * MINUTE_MS }, 401],
])('a certificate that %s gives the right answer', async (_what, changes, status) => {
  await using local = await startForTest();

  expect(await send(local, forge(local, { start: Date.now() - 60 * MINUTE_MS, ...changes }))).toMatchObject({
    status,
  });
});

test('a name is only for issuers that may create such a client', async () => {
  await using local = await startForTest();
  const scopes = ['auth:create-client:temp/*', 'secrets:get:this'];
  const issuer = await local.auth.createClient('issuer', {
    description: '',
    expires: inMs(3600_000),
    scopes,
  });
  const named = (clientId: string) => {
    const credentials = { clientId: 'issuer', accessToken: issuer.accessToken };
    const issued = temporary(local, { clientId, credentials });
    return send(local, { credentials: issued, ext: { certificate: certificateOf(issued) } });
  };

  expect(await named('temp/one')).toMatchObject({ status: 200 });
  expect(await named('other/one')).toMatchObject({
    status: 401,
    message: expect.stringContaining("doesn't have `auth:create-client:other/one`"),
  });
});

test('a certificate cannot grant what its issuer does not have', async () => {
  await using local = await startForTest();
  const scopes = ['auth:create-client:temp/*'];
  const issuer = await local.auth.createClient('issuer', {
    description: '',
    expires: inMs(3600_000),
    scopes,
  });
  const credentials = { clientId: 'issuer', accessToken: issuer.accessToken };
  const issued = temporary(local, { clientId: 'temp/one', credentials, scopes: ['secrets:get:this'] });

  expect(
    await send(local, { credentials: issued, ext: { certificate: certificateOf(issued) } }),
  ).toMatchObject({
    status: 401,
    message: expect.stringContaining("doesn't satisfy all certificate scopes"),
  });
});

test('authorizedScopes restrict a request, and must be covered by the credentials', async () => {
  await using local = await startForTest();
  const credentials = temporary(local, { scopes: ['secrets:get:*'] });
  const certificate = certificateOf(credentials);
  const restricted = (authorizedScopes: unknown) =>
    send(local, { credentials, ext: { certificate, authorizedScopes } });

  const less = await restricted(['secrets:get:one']);
  const more = await restricted(['secrets:set:one']);
  const wrong = await restricted('secrets:get:one');

  expect(less.scopes).toContain('secrets:get:one');
  expect(less.scopes).not.toContain('secrets:get:*');
  expect(more).toMatchObject({
    status: 401,
    message: expect.stringContaining('Supplied credentials do not satisfy authorizedScopes'),
  });
  expect(wrong).toMatchObject({ status: 401, message: expect.stringContaining('ext.authorizedScopes') });
});

test('what everybody may do is left over whatever is authorized', async () => {
  await using local = await startForTest();

  const { scopes } = await send(local, { ext: { authorizedScopes: [] } });

  expect(scopes).toContain('queue:get-artifact:public/*');
});

test.each([
  '/api/secrets/v1/secret/a%2Fb%20c%25d',
  '/api/secrets/v1/secret/a%2Fb?x=%2F&y=a+b&&z',
  '/api/secrets/v1/secret/a%2fb?empty=',
  '/api/secrets/v1/secret/(a)*~!@:,;=+$',
])('the signature covers %s exactly as sent', async (path) => {
  await using local = await startForTest();

  expect(await send(local, { path })).toMatchObject({
    status: 404,
    message: expect.stringMatching(/^Secret not found/),
  });
});

test('a bewit opens one URL to whoever has it, until it expires', async () => {
  await using local = await startForTest();
  await local.secrets.set('a/b c', { secret: { x: 1 }, expires: inMs(60_000) });
  const { secrets } = local.as(temporary(local, { scopes: ['secrets:get:a/b c'] }));
  const url = secrets.buildSignedUrl(secrets.get, 'a/b c');
  const { id, key } = { id: local.credentials.clientId, key: local.credentials.accessToken };
  const plain = secrets.buildUrl(secrets.get, 'a/b c');
  const bewit = hawk.client.getBewit(plain, {
    ...{ credentials: { id, key, algorithm: 'sha256' }, ttlSec: 60, localtimeOffsetMsec: -120_000 },
  });
  const status = async (target: string, method = 'GET') => (await fetch(target, { method })).status;

  expect(await (await fetch(url)).json()).toMatchObject({ secret: { x: 1 } });
  expect(await status(url.replace('b%20c', 'b%20d'))).toBe(401);
  expect(await status(`${url}x`)).toBe(401);
  expect(await status(`${plain}?bewit=${bewit}`)).toBe(401);
  expect(await status(url, 'DELETE')).toBe(401);
});

test('a bewit works beside other query parameters', async () => {
  await using local = await startForTest();
  const url = local.secrets.buildSignedUrl(local.secrets.list, { limit: 1 });

  expect((await fetch(url)).status).toBe(200);
});

test('callers may sign for the rootUrl when a proxy in front has changed the host', async () => {
  await using local = await startForTest({ rootUrl: 'https://taskcluster.example.com' });
  const answer = async (host: string) => {
    const { clientId: id, accessToken: key } = local.credentials;
    const { header } = hawk.client.header(`${host}${PATH}`, 'GET', {
      credentials: { id, key, algorithm: 'sha256' },
    });
    return (await fetch(`${local.url}${PATH}`, { headers: { authorization: header } })).status;
  };

  expect(await answer('https://taskcluster.example.com')).toBe(200);
  expect(await answer('https://elsewhere.example.com')).toBe(401);
});
