import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { send, valuesOf } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { startProxy } from '../testing/start-proxy.ts';

function startEcho() {
  return startServer((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk) => hash.update(chunk));
    request.on('end', () => {
      const { method, url, headers, rawHeaders } = request;
      response.end(JSON.stringify({ method, url, headers, rawHeaders, sha256: hash.digest('hex') }));
    });
  });
}

test.each(['', '/'])('paths arrive as they were sent when the upstream ends in "%s"', async (end) => {
  await using upstream = await startEcho();
  await using proxy = await startProxy({ upstream: `${upstream.url}${end}` });
  const paths = ['/api/x%2Fy//z/../w', '//a?b=%2F&&c;d', '/%00"<>^`{|}?%zz', '/..%2f../x', '/'];

  const seen = [];
  for (const path of paths) seen.push(JSON.parse((await send(proxy.port, path)).text).url);

  expect(seen).toEqual(paths);
});

test('a base path of the upstream is put in front', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy({ upstream: `${upstream.url}/base/` });

  expect(JSON.parse((await send(proxy.port, '/a%2Fb?c')).text).url).toBe('/base/a%2Fb?c');
});

test('the upstream gets the headers of the client, and those that tell who the client is', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy({ upstream: upstream.url });

  const answer = await send(proxy.port, '/', {
    rawHeaders: [
      ...['Authorization', 'Basic bWU=', 'X-Own_Name', 'kept', 'X-Real-IP', 'forged', 'Connection', 'x-hop'],
      ...['X-Hop', 'dropped', 'X-Forwarded-For', '10.1.2.3', 'X_Real_IP', 'forged', 'X-NginX-Proxy', 'no'],
    ],
  });

  const { headers } = JSON.parse(answer.text);
  expect(headers).toMatchObject({
    host: `127.0.0.1:${upstream.port}`,
    authorization: 'Basic bWU=',
    'x-own_name': 'kept',
    'x-forwarded-host': `127.0.0.1:${proxy.port}`,
    'x-real-ip': '127.0.0.1',
    'x-forwarded-for': '10.1.2.3, 127.0.0.1',
    'x-nginx-proxy': 'true',
  });
  expect(headers).not.toHaveProperty('x-hop');
  expect(headers).not.toHaveProperty('x_real_ip');
});

test('there is no limit of 1 MiB for bodies', async () => {
  await using upstream = await startEcho();
  await using proxy = await startProxy({ upstream: upstream.url });
  const body = randomBytes(5 * 1024 * 1024);

  const answer = await send(proxy.port, '/', { method: 'PUT', body });

  expect(JSON.parse(answer.text).sha256).toBe(createHash('sha256').update(body).digest('hex'));
});

test('connections to the upstream are kept', async () => {
  let connections = 0;
  await using upstream = await startServer((request, response) => {
    const { socket } = request as unknown as { socket: { counted?: boolean } };
    if (!socket.counted) connections++;
    socket.counted = true;
    response.end();
  });
  await using proxy = await startProxy({ upstream: upstream.url });

  for (let count = 0; count < 5; count++) await send(proxy.port, '/');

  expect(connections).toBe(1);
});

test('redirects to the upstream itself lead back to the proxy, others stay', async () => {
  await using upstream = await startServer((request, response) => {
    const location = decodeURIComponent(request.url?.slice(2) ?? '');
    response.writeHead(302, ['Location', location, 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end();
  });
  await using proxy = await startProxy({ upstream: `${upstream.url}/` });
  async function locationFor(location: string) {
    return (await send(proxy.port, `/?${encodeURIComponent(location)}`)).headers.location;
  }

  expect(await locationFor(`${upstream.url}/there?x#y`)).toBe('/there?x#y');
  expect(await locationFor(upstream.url)).toBe('/');
  expect(await locationFor(`${upstream.url}0/there`)).toBe(`${upstream.url}0/there`);
  expect(await locationFor('https://example.com/')).toBe('https://example.com/');
  expect(valuesOf((await send(proxy.port, '/?x')).rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
});

test('the certificate of the upstream is verified for the name that SNI has asked for', async () => {
  const tls = selfSigned('DNS:balrog.test');
  await using upstream = await startServer((request, response) => {
    response.end(String((request.socket as unknown as { servername: string }).servername));
  }, tls);
  const url = `https://balrog.test:${upstream.port}`;
  const resolve = ['balrog.test:127.0.0.1', 'other.test:127.0.0.1'];
  await using trusting = await startProxy({ upstream: url, resolve, ca: tls.cert });
  const other = url.replace('balrog', 'other');

  expect((await send(trusting.port, '/')).text).toBe('balrog.test');
  await expect(startProxy({ upstream: url, resolve, waitSeconds: 0.5 })).rejects.toThrow('is not trusted');
  await expect(startProxy({ upstream: other, resolve, ca: tls.cert, waitSeconds: 0.5 })).rejects.toThrow(
    'the server is not reached',
  );
});

test('WebSockets work both ways', async () => {
  await using upstream = await startServer((_, response) => response.writeHead(426).end());
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket, request) => {
    socket.send(`${request.url} ${request.headers.authorization}`);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await using proxy = await startProxy({ upstream: `http://127.0.0.1:${port}`, probe: { expect: ['426'] } });
  const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/a%2Fb`, {
    headers: { authorization: 'Basic eA==' },
  });

  const [greeting] = await once(client, 'message');
  client.send(Buffer.alloc(200_000, 7));
  const [echoed] = await once(client, 'message');
  client.close();
  await once(client, 'close');
  server.close();

  expect(String(greeting)).toBe('/a%2Fb Basic eA==');
  expect(echoed).toHaveLength(200_000);
  expect(upstream.requests()).toBe(0);
});

test('an upstream that wants no WebSocket answers in its own words', async () => {
  await using upstream = await startServer((_, response) => response.end('plain'));
  await using proxy = await startProxy({ upstream: upstream.url });
  const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);

  const [error] = await once(client, 'error').catch((reason) => [reason]);

  expect((error as Error).message).toBe('Unexpected server response: 200');
});

test('an upstream that does not begin its answer in time is a 504', async () => {
  await using upstream = await startServer((request, response) => {
    if (request.url === '/') response.end();
  });
  await using proxy = await startProxy({ upstream: upstream.url, headersTimeout: 0.2 });

  expect((await send(proxy.port, '/slow')).status).toBe(504);
});
