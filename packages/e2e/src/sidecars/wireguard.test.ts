import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
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

let server: VpnServer;
beforeAll(async () => {
  server = await startVpnServer(await bridgeGateway(docker), 'wireguard');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function startProxy(upstream: string, { files = server.clientFiles, ipv6 = false } = {}) {
  return startProxyContainer({
    files,
    ipv6,
    env: { PROXIED_SERVER: upstream, VPN_PROXY_TUNNEL: 'wireguard' },
  });
}

test('the upstream is found by the name server of the configuration and reached through the tunnel', async () => {
  await using proxy = await startProxy(`http://${upstreamName}`);
  const log = await proxy.logHas('"msg":"open"');

  const echo = JSON.parse((await ask(proxy, '/api/x%2Fy?a')).text);

  expect(echo).toMatchObject({ url: '/api/x%2Fy?a', from: '10.99.0.2' });
  // The tunnel's own words are there, its secrets are not.
  expect(log).toContain('Received handshake response');
  for (const secret of server.secrets) {
    expect(log).not.toContain(secret);
  }
});

test('an upstream with an IPv6 address is reached', async () => {
  await using proxy = await startProxy(`http://[${upstreamAddress6}]`, { ipv6: true });
  await proxy.logHas('"msg":"open"');

  expect(JSON.parse((await ask(proxy, '/x')).text).from).toBe('fd99::2');
});

test('only the tunnel has privileges', async () => {
  await using proxy = await startProxy(`http://${upstreamAddress}`);
  await proxy.logHas('"msg":"open"');

  const processes = await proxy.exec(
    'sh',
    '-c',
    'for p in /proc/[0-9]*; do echo $(tr "\\0" " " < $p/cmdline | head -c 12) $(grep -E "^(Uid|CapEff)" $p/status); done',
  );

  expect(processes).toMatch(/^node \S+ Uid: 10001 10001 10001 10001 CapEff: 0000000000000000$/m);
  expect(processes).toMatch(/^wireguard-go Uid: 0 0 0 0 /m);
});

test('a server that does not know the key is told in the 503', async () => {
  const config = (server.clientFiles['config.conf'] ?? '').replace(
    /^PrivateKey = .*$/m,
    `PrivateKey = ${Buffer.alloc(32, 7).toString('base64')}`,
  );
  await using proxy = await startProxy(`http://${upstreamAddress}`, { files: { 'config.conf': config } });
  await proxy.logHas('Sending handshake initiation');

  const answer = await ask(proxy, '/x');

  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.text).message).toMatch(
    /^the tunnel is not up: (STARTING|WAIT, the VPN server has not answered)/,
  );
});

test('a configuration that would run commands is refused', async () => {
  const config = `${server.clientFiles['config.conf']}\nPostUp = touch /tmp/x\n`;
  await using proxy = await startProxy(`http://${upstreamAddress}`, { files: { 'config.conf': config } });

  expect(await proxy.ended()).toBe(1);
  expect(await proxy.logHas('--help')).toContain('must not hold "PostUp"');
});

test('when the server is gone requests get 503, no packet takes another way, and all recovers with the server', async () => {
  await using own = await startVpnServer(await bridgeGateway(docker), 'wireguard');
  await using proxy = await startProxy(`http://${upstreamAddress}`, { files: own.clientFiles });
  await proxy.logHas('"msg":"open"');
  await using network = await connectAround(own, proxy);
  const held = httpRequest({ host: proxy.address, path: '/hold' });
  held.end();
  const [begun] = await once(held, 'response');
  begun.on('error', () => {}).resume();
  const cut = new Promise((resolve) => begun.once('close', resolve));

  const whileUp = await connectAs(10_001, proxy);
  await own.kill();
  const refused = await answered(proxy, '/x', 503);
  await cut;
  const before = await network.sentPackets();
  await ask(proxy, '/x');
  const down = await connectAs(10_001, proxy);
  const during = await network.sentPackets();
  const control = await connectAs(0, proxy);
  const afterControl = await network.sentPackets();
  await own.restart();
  const recovered = await answered(proxy, '/x', 200);

  expect(JSON.parse(refused.text).state).toMatchObject({
    tunnel: 'RECONNECTING',
    detail: 'nothing is heard from the VPN server',
  });
  expect({ whileUp, down }).toEqual({ whileUp: 'connected', down: 'timeout' });
  expect(during - before).toBe(0);
  // The other way exists and the counter sees it.
  expect(control).toBe('connected');
  expect(afterControl - during).toBeGreaterThan(2);
  expect(JSON.parse(recovered.text).from).toBe('10.99.0.2');
}, 90_000);
