import type { LookupFunction } from 'node:net';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { Agent, type Dispatcher } from 'undici';
import { startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy, type TestProxyOptions } from '../testing/start-proxy.ts';
import { isForbiddenAddress } from './forbidden-address.ts';

/** A dispatcher that sends nothing, and remembers what it was to send. */
class RecordingDispatcher extends Agent {
  readonly asked: string[] = [];
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.asked.push(`${options.origin}${options.path}`);
    handler.onResponseError?.({} as Dispatcher.DispatchController, new Error('nothing is sent here'));
    return true;
  }
}

/** A resolver that asks nobody, and remembers what it was asked. */
function recordingResolver(addresses: string[]) {
  const asked: string[] = [];
  const resolve: LookupFunction = (host, _, done) => {
    asked.push(host);
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    done(null, found as never);
  };
  return { asked, resolve };
}

const rootUrl = 'https://tc.example.com';

test.each([
  '/127.0.0.1/x',
  '/127.1.2.3/x',
  '/169.254.169.254/latest/meta-data/',
  '/169.254.170.2/v2/credentials',
  '/0.0.0.0/x',
  '/100.100.100.200/latest',
  '/168.63.129.16/x',
  '/224.0.0.1/x',
  '/app.localhost/x',
  '/localhost.localdomain/x',
  '/metadata.google.internal/computeMetadata/v1/',
  '/METADATA.Google.Internal/x',
  '/metadata.goog/x',
])('%s is refused with 403 before anything is looked up or sent', async (path) => {
  const dispatcher = new RecordingDispatcher();
  const { asked, resolve } = recordingResolver(['192.0.2.1']);
  await using proxy = await startProxy(rootUrl, { dispatcher, guard: { resolve } });

  const { status, text, headers } = await send(proxy.port, path);

  expect(status).toBe(403);
  expect(JSON.parse(text)).toMatchObject({ code: 'ForbiddenTarget', requestInfo: { method: 'GET' } });
  expect(headers).not.toHaveProperty('x-taskcluster-endpoint');
  expect([asked, dispatcher.asked]).toEqual([[], []]);
});

test.each([
  '/127.1/x',
  '/0x7f.1/x',
  '/0177.0.0.1/x',
  '/169.254.43518/x',
  '/0xa9.0xfe.0xa9.0xfe/x',
  '/1.2.3.256/x',
])('%s, a host in an unusual form, is refused with 400', async (path) => {
  const dispatcher = new RecordingDispatcher();
  await using proxy = await startProxy(rootUrl, { dispatcher });

  expect((await send(proxy.port, path)).status).toBe(400);
  expect(dispatcher.asked).toEqual([]);
});

test.each([
  '/2130706433/x',
  '/[::1]/x',
  '/[fd00:ec2::254]/x',
  '/tc.example.com@169.254.169.254/x',
  '/169.254.169.254:80/x',
  '/169.254.169.254%00.example.com/x',
  '/127.0.0.1./x',
  '/%31%32%37.0.0.1/x',
  '//169.254.169.254/x',
  '/\\169.254.169.254/x',
  '/%2e%2e/169.254.169.254/x',
  'http://169.254.169.254',
])('%s names no host at all', async (path) => {
  const dispatcher = new RecordingDispatcher();
  await using proxy = await startProxy(rootUrl, { dispatcher });

  const { status } = await send(proxy.port, path);

  expect([400, 404]).toContain(status);
  expect(dispatcher.asked).toEqual([]);
});

test.each([
  ['http://169.254.169.254/api/queue/v1/x', {}],
  ['http://169.254.169.254/queue/v1/x', {}],
  ['https://user@169.254.169.254:8080/queue/v1/x', {}],
  ['/api/queue/v1/x', { host: '169.254.169.254' }],
  ['/queue/v1/x', { 'x-forwarded-host': '169.254.169.254', forwarded: 'host=169.254.169.254' }],
])('%s with %j goes to the root URL', async (path, headers) => {
  const dispatcher = new RecordingDispatcher();
  await using proxy = await startProxy(rootUrl, { dispatcher });

  await send(proxy.port, path, { headers });

  expect(dispatcher.asked).toEqual([`${rootUrl}/api/queue/v1/x`]);
});

test.each([
  [['127.0.0.1']],
  [['169.254.169.254']],
  [['::1']],
  [['::ffff:127.0.0.1']],
  [['::ffff:a9fe:a9fe']],
  [['64:ff9b::a9fe:a9fe']],
  [['2002:7f00:1::']],
  [['fe80::1']],
  [['fd00:ec2::254']],
  [['0.0.0.0']],
  [['192.0.2.1', '127.0.0.1']],
])('a name that resolves to %j is refused with 403, and nobody is connected to', async (addresses) => {
  await using upstream = await startHawkUpstream((_, response) => response.end('reached'), {
    tls: selfSigned(),
  });
  const { asked, resolve } = recordingResolver(addresses);
  await using proxy = await startProxy(rootUrl, { guard: { resolve } });

  const { status, text } = await send(proxy.port, '/rebound.example.com/x');

  expect([status, JSON.parse(text).code]).toEqual([403, 'ForbiddenTarget']);
  expect(asked).toEqual(['rebound.example.com']);
  expect(upstream.requests()).toBe(0);
});

test.each<[string, TestProxyOptions['guard']]>([
  ['/127.0.0.1/x', { allowHosts: ['127.0.0.1'] }],
  ['/Tools.LocalHost/x', { allowHosts: ['tools.localhost'] }],
  ['/10.1.2.3/x', {}],
  ['/tooltool.example.com/x', {}],
])('%s is forwarded with %j', async (path, guard) => {
  const dispatcher = new RecordingDispatcher();
  await using proxy = await startProxy(rootUrl, { dispatcher, ...(guard ? { guard } : {}) });

  expect((await send(proxy.port, path)).status).toBe(502);
  expect(dispatcher.asked).toEqual([`https:/${path.toLowerCase()}`]);
});

test('an allowed name may resolve to loopback', async () => {
  const { resolve } = recordingResolver(['127.0.0.1']);
  const guard = { allowHosts: ['tools.example.com'], resolve };
  await using proxy = await startProxy(rootUrl, { guard });

  // Nobody serves https on the port that the host form is bound to.
  const { status, text } = await send(proxy.port, '/tools.example.com/x');

  expect([status, JSON.parse(text).code]).toEqual([502, 'UpstreamRefused']);
});

test('--deny-host-form refuses every host but the root URL’s', async () => {
  const dispatcher = new RecordingDispatcher();
  await using proxy = await startProxy(rootUrl, { dispatcher, guard: { denyAll: true } });

  expect((await send(proxy.port, '/tooltool.example.com/x')).status).toBe(403);
  await send(proxy.port, '/queue/v1/x');
  expect(dispatcher.asked).toEqual([`${rootUrl}/api/queue/v1/x`]);
});

test('the root URL itself may be anywhere', async () => {
  await using upstream = await startHawkUpstream((_, response) => response.end('reached'));
  await using proxy = await startProxy(upstream.url);

  expect((await send(proxy.port, '/queue/v1/x')).text).toBe('reached');
});

test.each(['https://169.254.169.254/latest/', '//169.254.169.254/', 'http://127.0.0.1:1/'])(
  'a redirect to %s is handed back and not followed',
  async (location) => {
    await using upstream = await startHawkUpstream((_, response) => {
      response.writeHead(302, { location }).end();
    });
    await using proxy = await startProxy(upstream.url);

    const { status, headers } = await send(proxy.port, '/queue/v1/x');

    expect([status, headers.location, upstream.requests()]).toEqual([302, location, 1]);
  },
);

test.each([
  ['8.8.8.8', false],
  ['10.0.0.1', false],
  ['192.168.1.1', false],
  ['172.17.0.1', false],
  ['100.100.100.201', false],
  ['2001:db8::1', false],
  ['64:ff9b::808:808', false],
  ['fe80::1%eth0', true],
  ['::', true],
  ['::127.0.0.1', true],
  ['febf::1', true],
  ['ff02::1', true],
  ['255.255.255.255', true],
  ['no address', false],
])('%s is forbidden: %j', (address, expected) => {
  expect(isForbiddenAddress(address)).toBe(expected);
});
