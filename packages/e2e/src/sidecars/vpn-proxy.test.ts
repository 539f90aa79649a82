import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { startProxyContainer } from '@docker-worker/vpn-proxy/testing/vpn-proxy-container';
import {
  startVpnServer,
  upstreamAddress,
  upstreamAddress6,
  upstreamName,
  type VpnServer,
} from '@docker-worker/vpn-proxy/testing/vpn-server';
import { bridgeGateway } from '@docker-worker/worker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { docker } from '../harness/host/host-contents.ts';
import { answered, ask, connectAround, connectAs } from '../harness/vpn-requests.ts';

/** One server for the tests that leave it as it is. */
let server: VpnServer;
beforeAll(async () => {
  server = await startVpnServer(await bridgeGateway(docker));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function startProxy(upstream: string, env: Record<string, string> = {}, files = server.clientFiles) {
  return startProxyContainer({ files, env: { PROXIED_SERVER: upstream, ...env } });
}

test.each([
  ['with', '/'],
  ['without', ''],
])(
  'requests reach the upstream through the tunnel, paths as they were sent, %s a slash at its end',
  async (_, slash) => {
    await using proxy = await startProxy(`http://${upstreamAddress}${slash}`);
    await proxy.logHas('"msg":"open"');

    const answer = await ask(proxy, '/api/x%2Fy//z/../w?a=%2F&&b', {
      rawHeaders: ['Authorization', 'Basic bWU='],
    });

    const echo = JSON.parse(answer.text);
    expect(echo.url).toBe('/api/x%2Fy//z/../w?a=%2F&&b');
    expect(echo.from).toMatch(/^10\.99\.0\./);
    expect(echo.headers).toMatchObject({
      host: upstreamAddress,
      authorization: 'Basic bWU=',
      'x-nginx-proxy': 'true',
      'x-forwarded-host': expect.stringContaining('127.0.0.1'),
      'x-real-ip': expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
      'x-forwarded-for': expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
    });
    expect((await ask(proxy, '/')).status).toBe(401);
    expect((await ask(proxy, '/redirect')).headers.location).toBe('/there?x=1');
  },
);

test.each([upstreamAddress, `[${upstreamAddress6}]`])(
  'a tunnel whose packets are UDP datagrams leads to %s as well',
  async (upstream) => {
    await using own = await startVpnServer(await bridgeGateway(docker), 'openvpn-udp');
    await using proxy = await startProxyContainer({
      files: own.clientFiles,
      env: { PROXIED_SERVER: `http://${upstream}` },
      ipv6: true,
    });
    await proxy.logHas('"msg":"open"');

    const echo = JSON.parse((await ask(proxy, '/x')).text);

    expect(echo.headers.host).toBe(upstream);
    expect(echo.from).toMatch(/^(10\.99\.0\.|fd99::)/);
  },
);

test('a large PUT streams through', async () => {
  await using proxy = await startProxy(`http://${upstreamAddress}`);
  await proxy.logHas('"msg":"open"');
  const body = randomBytes(20 * 1024 * 1024);

  const answer = await ask(proxy, '/blob', { method: 'PUT', body });

  const sha256 = createHash('sha256').update(body).digest('hex');
  expect(JSON.parse(answer.text)).toMatchObject({ method: 'PUT', length: body.length, sha256 });
});

test('only the tunnel has privileges: what serves HTTP is no root and has no capability', async () => {
  await using proxy = await startProxy(`http://${upstreamAddress}`);
  const log = await proxy.logHas('"msg":"open"');

  const processes = (
    await proxy.exec(
      'sh',
      '-c',
      'for p in /proc/[0-9]*; do echo $(tr "\\0" " " < $p/cmdline | cut -c1-16) $(grep -E "^(Uid|CapEff|CapPrm)" $p/status); done',
    )
  ).split('\n');

  expect(processes.find((line) => line.startsWith('node'))).toMatch(
    /Uid: 10001 10001 10001 10001 CapPrm: 0000000000000000 CapEff: 0000000000000000/,
  );
  expect(processes.find((line) => line.startsWith('openvpn'))).toMatch(/Uid: 0 0 0 0 /);
  // The tunnel's own words are there, its secrets are not.
  expect(log).toContain('Initialization Sequence Completed');
  expect(log).not.toContain(server.user.password);
});

test('the upstream is found by the name server that the VPN has pushed, and its certificate is verified for its name', async () => {
  const files = { ...server.clientFiles, 'ca.pem': server.upstreamCertificate };
  await using proxy = await startProxy(`https://${upstreamName}`, { VPN_PROXY_CA: '/vpn/ca.pem' }, files);
  await proxy.logHas('"msg":"open"');

  const echo = JSON.parse((await ask(proxy, '/x')).text);

  expect(echo.headers.host).toBe(upstreamName);
});

test('an upstream whose certificate is not trusted is never let through, and the state says so', async () => {
  await using proxy = await startProxy(`https://${upstreamName}`);
  await proxy.logHas('"probe":"failed"');

  const answer = await ask(proxy, '/x');

  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.text).state).toMatchObject({
    tunnel: 'CONNECTED',
    probe: 'failed',
    problem: expect.stringContaining('has a TLS certificate that is not trusted'),
  });
});

test('a pinned address is used without asking a name server', async () => {
  await using proxy = await startProxy('http://unknown.corp.test', {
    VPN_PROXY_RESOLVE: `unknown.corp.test:${upstreamAddress}`,
  });
  await proxy.logHas('"msg":"open"');

  expect(JSON.parse((await ask(proxy, '/x')).text).headers.host).toBe('unknown.corp.test');
});

test('wrong credentials are told in the 503, without the password', async () => {
  const files = { ...server.clientFiles, credentials: 'tester\nnot-the-password\n' };
  await using proxy = await startProxy(`http://${upstreamAddress}`, {}, files);
  const log = await proxy.logHas('AUTH_FAILED');

  const answer = await answered(proxy, '/x', 503);

  expect(answer.headers['retry-after']).toBe('2');
  expect(JSON.parse(answer.text)).toMatchObject({
    code: 'TunnelNotReady',
    message: 'the tunnel is not up: AUTH_FAILED, the VPN server refuses the credentials',
    state: { tunnel: 'AUTH_FAILED', probe: 'waiting' },
  });
  expect(log).not.toContain('not-the-password');
});

test('a start that may wait only so long ends with the reason when the server never answers', async () => {
  const host = await bridgeGateway(docker);
  await using silent = await listening(createServer(), { host, port: 0 });
  const config = (server.clientFiles['config.conf'] ?? '').replace(
    /^remote .*$/m,
    `remote ${host} ${silent.port}`,
  );
  await using proxy = await startProxy(
    `http://${upstreamAddress}`,
    { VPN_PROXY_WAIT: '3' },
    { ...server.clientFiles, 'config.conf': config },
  );

  const log = await proxy.logHas('--help');

  expect(await proxy.ended()).toBe(1);
  expect(log).toContain('the tunnel is not up: WAIT, after 3 s');
});

test('without PROXIED_SERVER it ends and says so', async () => {
  await using proxy = await startProxyContainer({ files: {}, env: {} });

  const log = await proxy.logHas('--help');

  expect(log).toContain('Environment variable PROXIED_SERVER must be set.');
  expect(await proxy.ended()).toBe(1);
});

test('a connection that is upgraded passes bytes both ways', async () => {
  await using proxy = await startProxy(`http://${upstreamAddress}`);
  await proxy.logHas('"msg":"open"');
  const request = httpRequest({
    host: proxy.address,
    path: '/socket',
    headers: { connection: 'Upgrade', upgrade: 'echo' },
  });
  request.end();

  const [, socket] = (await once(request, 'upgrade')) as [unknown, Socket];
  socket.write('hello');
  const [chunk] = await once(socket, 'data');
  socket.destroy();

  expect(String(chunk)).toBe('hello');
});

test('when the server is killed requests get 503 at once, what was in flight ends, and all recovers with the server', async () => {
  await using own = await startVpnServer(await bridgeGateway(docker));
  await using proxy = await startProxy(`http://${upstreamAddress}`, {}, own.clientFiles);
  await proxy.logHas('"msg":"open"');
  const held = httpRequest({ host: proxy.address, path: '/hold' });
  held.end();
  const [begun] = await once(held, 'response');
  begun.on('error', () => {}).resume();
  const cut = new Promise((resolve) => begun.once('close', resolve));

  await own.kill();
  const refused = await answered(proxy, '/x', 503);
  await cut;
  await own.restart();
  const recovered = await answered(proxy, '/x', 200);

  expect(JSON.parse(refused.text).state.tunnel).not.toBe('CONNECTED');
  expect(JSON.parse(recovered.text).from).toMatch(/^10\.99\.0\./);
});

test('while the tunnel is down not one packet for the upstream leaves by another way, even if there is one', async () => {
  await using own = await startVpnServer(await bridgeGateway(docker));
  await using proxy = await startProxy(`http://${upstreamAddress}`, {}, own.clientFiles);
  await proxy.logHas('"msg":"open"');
  await using network = await connectAround(own, proxy);

  const whileUp = await connectAs(10_001, proxy);
  await own.kill();
  await answered(proxy, '/x', 503);
  const before = await network.sentPackets();
  for (let count = 0; count < 5; count++) {
    await ask(proxy, '/x');
  }
  const down = await connectAs(10_001, proxy);
  const during = await network.sentPackets();
  const control = await connectAs(0, proxy);
  const afterControl = await network.sentPackets();

  expect({ whileUp, down }).toEqual({ whileUp: 'connected', down: 'EHOSTUNREACH' });
  expect(during - before).toBe(0);
  // The other way exists and the counter sees it: a process that is not kept inside the tunnel gets through.
  expect(control).toBe('connected');
  expect(afterControl - during).toBeGreaterThan(2);
});
