import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import Hawk from 'hawk';
import { startProxy } from '../testing/start-proxy.ts';

function echo() {
  return startServer((request, response) => response.end(JSON.stringify(request.headers)));
}

test('taskcluster-hawk signs the request, restricted to the Taskcluster scopes of the permissions', async () => {
  const credentials = { clientId: 'me', accessToken: 'a-secret-long-enough' };
  await using upstream = await startServer(async (request, response) => {
    const { artifacts } = await Hawk.server.authenticate(request, async () => ({
      key: credentials.accessToken,
      algorithm: 'sha256' as const,
      user: 'me',
    }));
    response.end(Buffer.from(artifacts.ext ?? '', 'base64').toString());
  });
  await using proxy = await startProxy({
    credentials,
    scopes: ['docker-worker:relengapi-proxy:tooltool.download.internal'],
    settings: {
      routes: [
        {
          prefix: '/',
          upstream: upstream.url,
          auth: {
            provider: 'taskcluster-hawk',
            scopes: {
              'tooltool.download.internal': 'project:releng:services/tooltool/api/download/internal',
              'tooltool.download.public': 'project:releng:services/tooltool/api/download/public',
            },
          },
        },
      ],
    },
  });

  const answer = await send(proxy.port, '/tooltool/a%2Fb?region=x', {
    rawHeaders: ['Authorization', 'mine'],
  });

  expect(JSON.parse(answer.text)).toEqual({
    authorizedScopes: ['project:releng:services/tooltool/api/download/internal'],
  });
});

test('taskcluster-hawk can leave the query out of the signature, for servers that do not verify it', async () => {
  const credentials = { clientId: 'me', accessToken: 'a-secret-long-enough' };
  await using upstream = await startServer(async (request, response) => {
    request.url = request.url?.split('?', 1)[0] ?? '';
    await Hawk.server.authenticate(request, async () => ({
      key: credentials.accessToken,
      algorithm: 'sha256' as const,
      user: 'me',
    }));
    response.end('verified');
  });
  const auth = { provider: 'taskcluster-hawk', signQuery: false } as const;
  await using proxy = await startProxy({
    credentials,
    settings: { routes: [{ prefix: '/', upstream: upstream.url, auth }] },
  });

  expect((await send(proxy.port, '/x?region=y')).text).toBe('verified');
});

test('oauth2-client-credentials obtains a token by the grant and sends it', async () => {
  const forms: string[] = [];
  await using issuer = await startServer((request, response) => {
    request.setEncoding('utf8').on('data', (text) => forms.push(text));
    request.on('end', () => response.end('{"access_token":"token-of-the-grant","expires_in":3600}'));
  });
  await using upstream = await echo();
  await using proxy = await startProxy({
    settings: {
      routes: [
        {
          prefix: '/',
          upstream: upstream.url,
          auth: {
            provider: 'oauth2-client-credentials',
            tokenUrl: `${issuer.url}/oauth/token`,
            clientId: 'id',
            clientSecret: 'client+secret',
            audience: 'balrog',
          },
        },
      ],
    },
  });

  await send(proxy.port, '/');
  const answer = await send(proxy.port, '/');

  expect(JSON.parse(answer.text).authorization).toBe('Bearer token-of-the-grant');
  expect(forms).toEqual([
    'grant_type=client_credentials&client_id=id&client_secret=client%2Bsecret&audience=balrog',
  ]);
  expect(proxy.log()).not.toContain('token-of-the-grant');
});

test('static-token-file sends what the file holds at the moment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'relengapi-proxy-'));
  try {
    const file = join(folder, 'token');
    await using upstream = await echo();
    await using proxy = await startProxy({
      settings: {
        routes: [{ prefix: '/', upstream: upstream.url, auth: { provider: 'static-token-file', file } }],
      },
    });

    const missing = await send(proxy.port, '/');
    await writeFile(file, 'first-token\n');
    const first = await send(proxy.port, '/');
    await writeFile(file, 'second-token');
    const second = await send(proxy.port, '/');

    expect(missing.status).toBe(503);
    expect(JSON.parse(missing.text).message).toBe('the token file cannot be read (ENOENT)');
    expect(JSON.parse(first.text).authorization).toBe('Bearer first-token');
    expect(JSON.parse(second.text).authorization).toBe('Bearer second-token');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("none lets the client's own header through", async () => {
  await using upstream = await echo();
  await using proxy = await startProxy({
    settings: { routes: [{ prefix: '/', upstream: upstream.url, auth: { provider: 'none' } }] },
  });

  const answer = await send(proxy.port, '/', { rawHeaders: ['Authorization', 'Basic bWU6bXk='] });

  expect(JSON.parse(answer.text).authorization).toBe('Basic bWU6bXk=');
});
