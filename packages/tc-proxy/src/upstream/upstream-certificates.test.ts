import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { expiredCertificate } from '../testing/expired-certificate.ts';
import { startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';

test.each([
  ['self-signed', selfSigned(), false],
  ['for another name', selfSigned('DNS:elsewhere.example.com'), true],
  ['for another address', selfSigned('IP:127.0.0.2'), true],
  ['expired', expiredCertificate(), true],
])('an upstream whose certificate is %s gets no request, and the client a 502', async (_, tls, isTrusted) => {
  await using upstream = await startHawkUpstream((_request, response) => response.end('reached'), { tls });
  await using proxy = await startProxy(upstream.url, {
    upstreams: isTrusted ? { ca: tls.cert } : {},
    retry: { deadlineMs: 60_000, anyMethod: true },
  });

  const { status, text } = await send(proxy.port, '/q/v1/x', { method: 'POST', body: 'secret' });

  expect([status, JSON.parse(text).code]).toEqual([502, 'UpstreamCertificateRejected']);
  expect(upstream.requests()).toBe(0);
});

test('NODE_TLS_REJECT_UNAUTHORIZED does not turn verification off', async () => {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    await using upstream = await startHawkUpstream((_, response) => response.end('reached'), {
      tls: selfSigned(),
    });
    await using proxy = await startProxy(upstream.url);

    expect((await send(proxy.port, '/q/v1/x')).status).toBe(502);
    expect(upstream.requests()).toBe(0);
  } finally {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
});

test('a CA that is added is trusted', async () => {
  const tls = selfSigned();
  await using upstream = await startHawkUpstream((_, response) => response.end('reached'), { tls });
  await using proxy = await startProxy(upstream.url, { upstreams: { ca: tls.cert } });

  expect((await send(proxy.port, '/q/v1/x')).text).toBe('reached');
});
