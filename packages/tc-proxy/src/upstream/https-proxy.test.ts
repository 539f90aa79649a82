import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type LookupFunction } from 'node:net';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { send, valuesOf } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { answerJson, startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';
import { isExcepted } from './https-proxy.ts';

/** An HTTP proxy that leads every CONNECT to one local port. */
async function startConnectProxy(port: number, status = 200) {
  const asked: { authority: string; authorization: string | undefined }[] = [];
  const server = createServer();
  server.on('connect', (request, client) => {
    asked.push({ authority: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(port, '127.0.0.1').on('error', () => client.destroy());
    void once(upstream, 'connect').then(() => client.write('HTTP/1.1 200 Yes\r\n\r\n'));
    client.pipe(upstream).pipe(client);
  });
  return { ...(await listening(server)), asked };
}

const tls = selfSigned('DNS:tc.example.com,DNS:tools.example.com');

function startTlsMirror() {
  return startHawkUpstream(
    ({ url, rawHeaders }, response) => answerJson(response, 200, { url, rawHeaders }),
    { tls },
  );
}

const resolvesTo: (address: string) => LookupFunction = (address) => (_host, _options, done) =>
  done(null, [{ address, family: 4 }] as never);

test('https upstreams are reached through the proxy, with TLS checked for their names', async () => {
  await using upstream = await startTlsMirror();
  await using between = await startConnectProxy(upstream.port);
  const url = `http://us%20er:pass@127.0.0.1:${between.port}`;
  await using proxy = await startProxy('https://tc.example.com', {
    upstreams: { ca: tls.cert, httpsProxy: { url } },
    guard: { resolve: resolvesTo('192.0.2.1') },
  });

  const rawHeaders = ['X-B', '1', 'X-B', '2'];
  const onRoot = await send(proxy.port, '/q/v1/x?y', { rawHeaders });
  const onHost = await send(proxy.port, '/tools.example.com/z');

  expect([onRoot.status, onHost.status]).toEqual([200, 200]);
  expect(valuesOf(JSON.parse(onRoot.text).rawHeaders, 'x-b')).toEqual(['1', '2']);
  const authorization = `Basic ${Buffer.from('us er:pass').toString('base64')}`;
  expect(between.asked).toEqual([
    { authority: 'tc.example.com:443', authorization },
    { authority: 'tools.example.com:443', authorization },
  ]);
});

test('an upstream behind the proxy with an untrusted certificate gets no request', async () => {
  await using upstream = await startTlsMirror();
  await using between = await startConnectProxy(upstream.port);
  await using proxy = await startProxy('https://tc.example.com', {
    upstreams: { httpsProxy: { url: `http://127.0.0.1:${between.port}` } },
  });

  const { status, text } = await send(proxy.port, '/q/v1/x');

  expect([status, JSON.parse(text).code]).toEqual([502, 'UpstreamCertificateRejected']);
  expect(upstream.requests()).toBe(0);
});

test('a proxy that refuses is a 502', async () => {
  await using between = await startConnectProxy(0, 407);
  await using proxy = await startProxy('https://tc.example.com', {
    upstreams: { httpsProxy: { url: `http://127.0.0.1:${between.port}` } },
  });

  expect((await send(proxy.port, '/q/v1/x')).status).toBe(502);
  expect(between.asked).toHaveLength(1);
});

test('the proxy is no way to loopback either', async () => {
  await using upstream = await startTlsMirror();
  await using between = await startConnectProxy(upstream.port);
  await using proxy = await startProxy('https://tc.example.com', {
    upstreams: { ca: tls.cert, httpsProxy: { url: `http://127.0.0.1:${between.port}` } },
    guard: { resolve: resolvesTo('169.254.169.254') },
  });

  expect((await send(proxy.port, '/tools.example.com/x')).status).toBe(403);
  expect(between.asked).toEqual([]);
});

test('http upstreams and excepted hosts are reached directly', async () => {
  await using upstream = await startHawkUpstream((_, response) => response.end('direct'));
  await using secure = await startTlsMirror();
  await using between = await startConnectProxy(secure.port);
  const httpsProxy = { url: `http://127.0.0.1:${between.port}`, except: 'example.org, 127.0.0.1' };
  await using plain = await startProxy(upstream.url, { upstreams: { httpsProxy } });
  await using excepted = await startProxy(secure.url, { upstreams: { httpsProxy } });

  expect((await send(plain.port, '/q/v1/x')).text).toBe('direct');
  expect(JSON.parse((await send(excepted.port, '/q/v1/x')).text).code).toBe('UpstreamCertificateRejected');
  expect(between.asked).toEqual([]);
});

test.each([
  ['', 'tc.example.com', false],
  ['*', 'tc.example.com', true],
  ['example.com', 'example.com', true],
  ['example.com', 'tc.example.com', true],
  ['.example.com', 'tc.example.com', true],
  ['*.example.com', 'tc.example.com', true],
  ['ample.com', 'tc.example.com', false],
  ['other.org,TC.Example.com', 'tc.example.com', true],
  ['tc.example.com:443', 'tc.example.com', true],
  ['tc.example.com:8443', 'tc.example.com', false],
  ['a b  tc.example.com', 'tc.example.com', true],
])('the list %j excepts %s: %j', (list, host, expected) => {
  expect(isExcepted(list, host, 443)).toBe(expected);
});
