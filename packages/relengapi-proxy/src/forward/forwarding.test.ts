import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send, valuesOf } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { startRelengapiStandIn } from '../testing/relengapi-stand-in.ts';
import { standInConfig, startProxy } from '../testing/start-proxy.ts';

test('a download is redirected to its signed URL, untouched, and the storage never sees the token', async () => {
  await using standIn = await startRelengapiStandIn();
  const digest = standIn.store(Buffer.from('the file'), 'public');
  await using proxy = await startProxy(standInConfig(standIn));

  const answer = await send(proxy.port, `/tooltool/sha512/${digest}?region=us-west-2`);
  const location = answer.headers.location ?? '';
  const file = await fetch(location);

  expect(answer.status).toBe(302);
  expect(location).toMatch(new RegExp(`^${standIn.storageUrl}/${digest}\\?expires=60&signature=`));
  expect(answer.text).toBe('found');
  expect(await file.text()).toBe('the file');
  expect(standIn.seen.storage).toEqual([undefined]);
});

test('what the permissions do not cover is refused by the upstream', async () => {
  await using standIn = await startRelengapiStandIn();
  const digest = standIn.store(Buffer.from('internal'), 'internal');
  await using proxy = await startProxy(standInConfig(standIn, ['tooltool.download.public']));

  expect((await send(proxy.port, `/tooltool/sha512/${digest}`)).status).toBe(403);
});

test("the client's own Authorization is replaced, however it is written", async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy(standInConfig(standIn));

  const answer = await send(proxy.port, '/x', {
    rawHeaders: ['AUTHORIZATION', 'Bearer mine', 'Authorization_', 'x', 'X-Own', 'stays'],
  });

  const { headers } = JSON.parse(answer.text);
  expect(answer.status).toBe(200);
  expect(headers.authorization).toMatch(/^Bearer ey/);
  expect(standIn.seen.api).toHaveLength(1);
  expect(headers['x-own']).toBe('stays');
});

const rawPaths = [
  '/a%2Fb//c/../d/./e%2e%2E?x=%2F&&y=a;b+c&z=%zz',
  '//double',
  '/tooltool/?',
  '/%00%ff/"<>^`{|}',
  '/a%252Fb',
];
for (const path of rawPaths) {
  test(`the path ${path} arrives as it was sent`, async () => {
    await using standIn = await startRelengapiStandIn();
    await using proxy = await startProxy(standInConfig(standIn));

    expect(JSON.parse((await send(proxy.port, path)).text).url).toBe(path);
  });
}

test('a stripped prefix leaves the rest of the path as it was sent', async () => {
  await using standIn = await startRelengapiStandIn();
  const config = standInConfig(standIn);
  const [route] = config.settings?.routes ?? [];
  if (!route) throw new Error('no route');
  await using proxy = await startProxy({
    ...config,
    settings: { routes: [{ ...route, prefix: '/tooltool', strip: true, upstream: `${standIn.url}/base/` }] },
  });

  const urls = [];
  for (const path of ['/tooltool/a%2Fb//c?q', '/tooltool', '/tooltool?q', '/tooltool/']) {
    urls.push(JSON.parse((await send(proxy.port, path)).text).url);
  }
  expect(urls).toEqual(['/base/a%2Fb//c?q', '/base/', '/base/?q', '/base/']);
});

test('the longest prefix wins, by whole segments; a path without a route is a 404 that names those there are', async () => {
  await using one = await startServer((_, response) => response.end('one'));
  await using two = await startServer((_, response) => response.end('two'));
  await using proxy = await startProxy({
    settings: {
      routes: [
        { prefix: '/tooltool', upstream: one.url, auth: { provider: 'none' } },
        { prefix: '/tooltool/upload', upstream: two.url, auth: { provider: 'none' } },
      ],
    },
  });

  expect((await send(proxy.port, '/tooltool/x')).text).toBe('one');
  expect((await send(proxy.port, '/tooltool/upload/x')).text).toBe('two');
  expect((await send(proxy.port, '/tooltool/uploads')).text).toBe('one');
  const none = await send(proxy.port, '/tooltoolX');
  expect(none.status).toBe(404);
  expect(JSON.parse(none.text)).toMatchObject({
    code: 'NoSuchRoute',
    message: 'no route for this path; there are routes for /tooltool/upload, /tooltool',
  });
  expect((await send(proxy.port, '/')).status).toBe(404);
  expect((await send(proxy.port, '/tooltool')).text).toBe('one');
});

test('a large upload streams through and its answer comes back', async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy(standInConfig(standIn));
  const body = randomBytes(8 * 1024 * 1024);

  const answer = await send(proxy.port, '/tooltool/upload', { method: 'PUT', body });

  expect(JSON.parse(answer.text).sha256).toBe(createHash('sha256').update(body).digest('hex'));
});

test('the first bytes of an answer come before its end', async () => {
  let finish = () => {};
  await using upstream = await startServer((_, response) => {
    response.write('first');
    finish = () => response.end(', last');
  });
  await using proxy = await startProxy({
    settings: { routes: [{ prefix: '/', upstream: upstream.url, auth: { provider: 'none' } }] },
  });

  const text = await new Promise<string>((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port: proxy.port, path: '/' }, (response) => {
      let all = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        all += chunk;
        if (all === 'first') finish();
      });
      response.on('end', () => resolve(all));
    })
      .on('error', reject)
      .end();
  });

  expect(text).toBe('first, last');
});

test('all values of a repeated header come back', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end();
  });
  await using proxy = await startProxy({
    settings: { routes: [{ prefix: '/', upstream: upstream.url, auth: { provider: 'none' } }] },
  });

  expect(valuesOf((await send(proxy.port, '/')).rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
});

test('an upstream that cannot be reached is a 502 that names it', async () => {
  await using proxy = await startProxy({
    settings: { routes: [{ prefix: '/', upstream: 'http://127.0.0.1:1', auth: { provider: 'none' } }] },
  });

  const answer = await send(proxy.port, '/');

  expect(answer.status).toBe(502);
  expect(JSON.parse(answer.text).message).toContain('127.0.0.1:1 refused the connection');
});
