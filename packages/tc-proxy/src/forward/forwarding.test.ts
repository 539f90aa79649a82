import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { send, valuesOf } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { Agent, buildConnector } from 'undici';
import { answerJson, extOf, permanent, startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';
import { startTcpServer } from '../testing/start-tcp-server.ts';
import { temporaryCredentials } from '../testing/temporary-credentials.ts';

/** Answers with what it saw, once the signature is found good. */
function startMirror(options?: Parameters<typeof startHawkUpstream>[1]) {
  return startHawkUpstream((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, rawHeaders } = request;
      const body = Buffer.concat(chunks).toString();
      answerJson(response, 200, { method, url, rawHeaders, body, ext: extOf(request) });
    });
  }, options);
}

test.each([
  ['/double//slash/encode1%2F/encode2%252F/encode3%25252F'],
  ['/up/../../%2e%2e/./x'],
  ['/lower%2fUpper%2F'],
  ['/odd?a;b&%zz&+&&=&empty=&empty'],
  ['/braces/{}|^\'"`<>\\?{}|^\'"`<>\\'],
  ['/%ff%FE?%ff'],
  [`/${'long/'.repeat(1_600)}`],
])('path and query are signed and sent byte for byte: %s', async (rest) => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { status, text } = await send(proxy.port, `/api/queue/v1${rest}`);

  expect(status).toBe(200);
  expect(JSON.parse(text).url).toBe(`/api/queue/v1${rest}`);
});

test.each([
  ['GET'],
  ['POST'],
  ['PUT'],
  ['PATCH'],
  ['DELETE'],
  ['OPTIONS'],
  ['PROPFIND'],
  ['MKCOL'],
  ['QUERY'],
  ['TRACE'],
])('%s is forwarded', async (method) => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { text } = await send(proxy.port, '/q/v1/x', { method });

  expect(JSON.parse(text)).toMatchObject({ method, body: '' });
});

test.each([
  ['POST', ['Content-Length', '5']],
  ['POST', ['Transfer-Encoding', 'chunked']],
  ['GET', ['Content-Length', '5']],
  ['DELETE', ['Content-Length', '5']],
])('the body of a %s with %j arrives', async (method, rawHeaders) => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { text } = await send(proxy.port, '/q/v1/x', { method, rawHeaders, body: 'hello' });

  const seen = JSON.parse(text);
  expect(seen).toMatchObject({ method, body: 'hello' });
  expect(valuesOf(seen.rawHeaders, 'content-type')).toEqual([]);
  expect(valuesOf(seen.rawHeaders, rawHeaders[0] ?? '')).toEqual([rawHeaders[1]]);
});

test('an empty POST says Content-Length: 0, an empty GET nothing', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const post = JSON.parse((await send(proxy.port, '/q/v1/x', { method: 'POST' })).text);
  const get = JSON.parse((await send(proxy.port, '/q/v1/x')).text);

  expect(valuesOf(post.rawHeaders, 'content-length')).toEqual(['0']);
  expect(valuesOf(get.rawHeaders, 'content-length')).toEqual([]);
});

test('the client’s headers arrive in order and case, but not those that are ours to say', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { text } = await send(proxy.port, '/q/v1/x', {
    rawHeaders: [
      ...[
        'X-B',
        '1',
        'x-a',
        '2',
        'X-B',
        '3',
        'Authorization',
        'Hawk id="evil"',
        'authorization',
        'Basic evil',
      ],
      ...['X_Taskcluster_Endpoint', 'x', 'X-Taskcluster-Authorized-Scopes', '["*"]', 'TE', 'trailers'],
      ...[
        'Connection',
        'close, x-hop',
        'X-Hop',
        '1',
        'Expect',
        '100-continue',
        'Transfer_Encoding',
        'chunked',
      ],
    ],
  });

  const { rawHeaders } = JSON.parse(text);
  const names = rawHeaders.filter((_: string, index: number) => index % 2 === 0);
  expect(names).toEqual(['host', 'connection', 'X-B', 'x-a', 'X-B', 'Authorization']);
  expect(valuesOf(rawHeaders, 'x-b')).toEqual(['1', '3']);
  expect(valuesOf(rawHeaders, 'host')).toEqual([upstream.url.slice('http://'.length)]);
});

test.each([
  ['absent', undefined, {}],
  ['empty', [], { authorizedScopes: [] }],
  ['a list', ['a', 'b'], { authorizedScopes: ['a', 'b'] }],
])('a restriction that is %s reaches the upstream as that', async (_, authorizedScopes, ext) => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url, { authorizedScopes });

  expect(JSON.parse((await send(proxy.port, '/q/v1/x')).text).ext).toEqual(ext);
});

test('headers of the answer keep their repetitions, hop-by-hop ones excepted, and win over ours', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, 'Fine', [
      ...[
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Vary',
        'A',
        'Vary',
        'B',
        'X-Taskcluster-Endpoint',
        'theirs',
      ],
      ...['Connection', 'x-hop', 'X-Hop', '1', 'Proxy-Authenticate', 'Basic', 'Trailer', 'X-Late'],
    ]);
    response.end('ok');
  });
  await using proxy = await startProxy(upstream.url);

  const { rawHeaders } = await send(proxy.port, '/q/v1/x');

  expect(valuesOf(rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
  expect(valuesOf(rawHeaders, 'vary')).toEqual(['A', 'B']);
  expect(valuesOf(rawHeaders, 'x-taskcluster-endpoint')).toEqual(['theirs']);
  for (const name of ['x-hop', 'proxy-authenticate', 'trailer'])
    expect(valuesOf(rawHeaders, name)).toEqual([]);
});

test.each([
  [200, 'HEAD', { 'content-length': '1234' }],
  [204, 'GET', {}],
  [304, 'GET', { etag: '"x"' }],
])('a bodiless %d to %s leaves the connection usable', async (status, method, headers) => {
  await using upstream = await startServer((_, response) => response.writeHead(status, headers).end());
  await using proxy = await startProxy(upstream.url);
  const client = connect(proxy.port, '127.0.0.1');

  const request = `${method} /q/v1/x HTTP/1.1\r\nHost: taskcluster\r\n\r\n`;
  const last = 'GET /nowhere HTTP/1.1\r\nHost: taskcluster\r\nConnection: close\r\n\r\n';
  client.write(request + request + last);
  let text = '';
  client.on('data', (chunk) => {
    text += chunk;
  });
  await once(client, 'close');

  const statusLines = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code));
  expect(statusLines).toEqual([status, status, 404]);
  for (const [name, value] of Object.entries(headers)) expect(text).toContain(`${name}: ${value}`);
});

test('a redirect comes back untouched', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(303, { location: 'https://elsewhere.example/?bewit=x' }).end('over there');
  });
  await using proxy = await startProxy(upstream.url);

  const { status, headers, text } = await send(proxy.port, '/q/v1/x');

  expect([status, headers.location, text]).toEqual([303, 'https://elsewhere.example/?bewit=x', 'over there']);
  expect(upstream.requests()).toBe(1);
});

test('a compressed body stays compressed', async () => {
  await using upstream = await startServer((request, response) => {
    response
      .writeHead(200, { 'content-encoding': 'gzip' })
      .end(request.headers['accept-encoding'] ?? 'none asked');
  });
  await using proxy = await startProxy(upstream.url);

  const { headers, text } = await send(proxy.port, '/q/v1/x');

  expect([headers['content-encoding'], text]).toEqual(['gzip', 'none asked']);
});

test('absolute-form requests are routed by their path', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { text } = await send(proxy.port, 'http://taskcluster/api/queue/v1/x?y');

  expect(JSON.parse(text).url).toBe('/api/queue/v1/x?y');
});

test('the host form reaches that host by https, signed for it', async () => {
  const tls = selfSigned('DNS:tooltool.example.com');
  await using upstream = await startMirror({ tls });
  // Every name leads to the local server; the certificate is still that of the name.
  const connector = buildConnector({ ca: tls.cert });
  const asked: string[] = [];
  const dispatcher = new Agent({
    connect: (options, done) => {
      asked.push(`${options.protocol}//${options.hostname}:${options.port}`);
      connector({ ...options, hostname: '127.0.0.1', port: String(upstream.port) }, done);
    },
  });
  await using proxy = await startProxy('https://tc.example.com', { dispatcher });

  const { status, headers, text } = await send(proxy.port, '/Tooltool.Example.com//sha512/a%2Fb?region=x');

  expect(status).toBe(200);
  expect(JSON.parse(text).url).toBe('//sha512/a%2Fb?region=x');
  expect(headers['x-taskcluster-endpoint']).toBe('https://tooltool.example.com//sha512/a%2Fb?region=x');
  expect(asked).toEqual(['https://tooltool.example.com:']);
});

test('an upstream with an untrusted certificate gets no request', async () => {
  await using upstream = await startMirror({ tls: selfSigned() });
  await using proxy = await startProxy(upstream.url);

  const { status, headers, text } = await send(proxy.port, '/q/v1/x?secret');

  expect(status).toBe(502);
  expect(JSON.parse(text)).toMatchObject({
    code: 'UpstreamCertificateRejected',
    message: expect.stringContaining(`127.0.0.1:${upstream.port}`),
    requestInfo: { method: 'GET' },
  });
  expect(headers['x-taskcluster-endpoint']).toContain('/api/q/v1/x');
  expect(upstream.requests()).toBe(0);
});

/** Takes larger header blocks than Node does by default. */
function startRoomyServer(listener: RequestListener) {
  return listening(createServer({ maxHeaderSize: 256 * 1024 }, listener));
}

test('request headers of 128 KiB reach the upstream', async () => {
  await using upstream = await startRoomyServer((request, response) => {
    response.end(String(request.headers['x-long']?.length));
  });
  await using proxy = await startProxy(upstream.url);

  const { status, text } = await send(proxy.port, '/q/v1/x', {
    rawHeaders: ['X-Long', 'x'.repeat(128 * 1024)],
  });

  expect([status, text]).toEqual([200, String(128 * 1024)]);
});

test('larger request headers are refused with 431', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  const { status } = await send(proxy.port, '/q/v1/x', { rawHeaders: ['X-Long', 'x'.repeat(140 * 1024)] });

  expect(status).toBe(431);
  expect(upstream.requests()).toBe(0);
});

test('answer headers of 100 KiB reach the client', async () => {
  await using upstream = await startServer((_, response) => {
    response.writeHead(200, { 'x-long': 'x'.repeat(100 * 1024) }).end();
  });
  await using proxy = await startProxy(upstream.url);

  const { headers } = await send(proxy.port, '/q/v1/x', { maxHeaderSize: 128 * 1024 });

  expect(headers['x-long']).toHaveLength(100 * 1024);
});

test('answers with 400 long scopes can be read by a client with Node’s limits', async () => {
  await using upstream = await startRoomyServer((_, response) => response.end('ok'));
  const authorizedScopes = Array.from({ length: 400 }, (_, index) => `queue:some:long:scope:name:${index}`);
  const credentials = temporaryCredentials(authorizedScopes);
  await using proxy = await startProxy(upstream.url, { authorizedScopes, credentials });

  const response = await fetch(`http://127.0.0.1:${proxy.port}/q/v1/${'long/'.repeat(1_600)}`);

  expect(response.status).toBe(200);
  expect(response.headers.get('x-taskcluster-endpoint')).toHaveLength(4 * 1024);
  expect(response.headers.get('x-taskcluster-authorized-scopes')).toMatch(/and \d+ more scopes"\]$/);
});

test('CONNECT is refused and OPTIONS * answered by the proxy itself', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);
  const answers: string[] = [];
  for (const line of ['CONNECT tc.example.com:443', 'OPTIONS *']) {
    const client = connect(proxy.port, '127.0.0.1');
    client.write(`${line} HTTP/1.1\r\nHost: taskcluster\r\nConnection: close\r\n\r\n`);
    const [chunk] = await once(client, 'data');
    answers.push(String(chunk).split('\r\n', 1)[0] ?? '');
    client.destroy();
  }

  expect(answers).toEqual(['HTTP/1.1 405 Method Not Allowed', 'HTTP/1.1 200 OK']);
  expect(upstream.requests()).toBe(0);
});

test('metrics count methods, statuses and bytes, and no log line has a query or the token', async () => {
  await using upstream = await startMirror();
  await using proxy = await startProxy(upstream.url);

  await send(proxy.port, '/q/v1/x?canary=1', { method: 'POST', body: 'hello' });
  await send(proxy.port, '/nowhere');
  const metrics = await proxy.metrics.metrics();

  expect(metrics).toContain('proxy_requests_total{method="POST",status="200",route="root-url"} 1');
  expect(metrics).toContain('proxy_requests_total{method="GET",status="404",route="none"} 1');
  expect(metrics).toContain('proxy_body_bytes_total{direction="up"} 5');
  expect(proxy.log()).toContain('"msg":"forwarded"');
  expect(proxy.log()).not.toMatch(new RegExp(`canary|${permanent.accessToken}`));
});

test.each([
  ['the usual one', '200 OK', 'HTTP/1.1 200 OK'],
  ['another', '200 Fine by me', 'HTTP/1.1 200 Fine by me'],
  ['none', '200 ', 'HTTP/1.1 200 OK'],
  ['one that cannot be written', '200 O\u0001K', 'HTTP/1.1 200 OK'],
])('reason phrases are handed on: %s', async (_, sent, expected) => {
  await using upstream = await startTcpServer((socket) => {
    socket.on('data', () => socket.write(`HTTP/1.1 ${sent}\r\nContent-Length: 2\r\n\r\nhi`));
  });
  await using proxy = await startProxy(upstream.url);
  const client = connect(proxy.port, '127.0.0.1');
  client.write('GET /q/v1/x HTTP/1.1\r\nHost: taskcluster\r\nConnection: close\r\n\r\n');

  const [line, ...others] = (await client.toArray()).join('').split('\r\n');

  expect([line, others.at(-1)]).toEqual([expected, 'hi']);
});
