import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { startRelengapiStandIn } from '../testing/relengapi-stand-in.ts';
import { standInConfig, startProxy } from '../testing/start-proxy.ts';

test('health looks at an issuer that no request has needed yet, without asking for a token', async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy(standInConfig(standIn));

  const health = await proxy.health();

  expect(health).toEqual({
    issuers: [{ issuer: new URL(standIn.url).host, reachable: true, seen: expect.any(String) }],
  });
  expect(standIn.issued).toHaveLength(0);
  expect(await proxy.metrics.metrics()).toMatch(/^relengapi_issuer_reachable\{issuer="[^"]+"\} 1$/m);
});

test('an issuer that is gone is named with the reason', async () => {
  const config = await (async () => {
    await using standIn = await startRelengapiStandIn();
    return standInConfig(standIn);
  })();
  await using proxy = await startProxy(config);

  const answer = await send(proxy.port, '/');
  const health = await proxy.health();

  expect(answer.status).toBe(503);
  expect(health).toMatchObject({
    issuers: [{ reachable: false, problem: expect.stringContaining('refused the connection') }],
  });
  expect(await proxy.metrics.metrics()).toMatch(/^relengapi_issuer_reachable\{issuer="[^"]+"\} 0$/m);
});

test('an issuer that refuses is reachable, and says why it gave no token', async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy({ ...standInConfig(standIn), issuingToken: 'wrong' });

  const answer = await send(proxy.port, '/');
  const health = await proxy.health();

  expect(answer.status).toBe(502);
  expect(health).toMatchObject({
    issuers: [{ reachable: true, problem: expect.stringContaining('issues no token') }],
  });
});

test('an issuer that never answers is not reachable', async () => {
  await using silent = await startServer(() => {});
  await using standIn = await startRelengapiStandIn();
  const config = standInConfig(standIn);
  const [route] = config.settings?.routes ?? [];
  await using proxy = await startProxy({
    ...config,
    settings: {
      routes: [
        {
          ...(route as NonNullable<typeof route>),
          auth: { provider: 'relengapi-tmp-token', issuer: `${silent.url}/tokens` },
        },
      ],
    },
  });

  expect(await proxy.health()).toMatchObject({
    issuers: [{ reachable: false, problem: `127.0.0.1:${silent.port} does not answer` }],
  });
});
