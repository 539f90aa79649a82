import type { ServerResponse } from 'node:http';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { startRelengapiStandIn } from '../testing/relengapi-stand-in.ts';
import { standInConfig, startProxy } from '../testing/start-proxy.ts';

test('a token for ten minutes is asked for with the permissions of the scopes, in their order', async () => {
  await using standIn = await startRelengapiStandIn();
  const permissions = ['tooltool.download.internal', 'tooltool.download.public'];
  await using proxy = await startProxy(standInConfig(standIn, permissions));
  const before = Date.now();

  const answer = await send(proxy.port, '/tooltool/file');

  expect(JSON.parse(answer.text).permissions).toEqual(permissions);
  expect(standIn.issued).toEqual([{ typ: 'tmp', expires: expect.any(String), permissions, metadata: {} }]);
  const { expires } = standIn.issued[0] as { expires: string };
  const life = Date.parse(expires) - before;
  expect(life).toBeGreaterThanOrEqual(600_000);
  expect(life).toBeLessThan(610_000);
});

test('no token is asked for before a request needs one', async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy(standInConfig(standIn));

  expect(standIn.issued).toHaveLength(0);
  expect((await send(proxy.port, '/')).status).toBe(200);
});

test('many requests at once share one token', async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy(standInConfig(standIn));

  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => send(proxy.port, `/${n}`)));

  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(standIn.issued).toHaveLength(1);
});

for (const status of [400, 401]) {
  test(`a request that the upstream answers with ${status} is sent once more, body and all, with a fresh token`, async () => {
    await using standIn = await startRelengapiStandIn();
    await using proxy = await startProxy(standInConfig(standIn));
    await send(proxy.port, '/first');
    standIn.refusal = status;
    standIn.replaceKey();

    const answer = await send(proxy.port, '/tooltool/upload', { method: 'POST', body: 'hello' });

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text).sha256).toMatch(/^2cf24dba5fb0a30e26e83b2ac5b9e29e/);
    expect(standIn.issued).toHaveLength(2);
  });
}

test('a refusal of the fresh token as well is the answer, and is not tried a third time', async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy(standInConfig(standIn));
  standIn.refuseAll = true;

  const answer = await send(proxy.port, '/x');

  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text).error.description).toBe('Invalid Authorization header');
  expect(standIn.seen.api).toHaveLength(2);
});

test('an issuer that refuses is a 502 with its reason, and the proxy lives on', async () => {
  await using standIn = await startRelengapiStandIn({ mayIssue: [] });
  await using proxy = await startProxy(standInConfig(standIn));

  const answer = await send(proxy.port, '/x');

  expect(answer.status).toBe(502);
  expect(JSON.parse(answer.text)).toMatchObject({
    code: 'TokenRefused',
    message: expect.stringMatching(/ issues no token: it answered 400: bad permissions$/),
  });
  expect((await send(proxy.port, '/x')).status).toBe(502);
});

const troubles = {
  'answers 500': [(r) => r.writeHead(500).end('secret innards'), 503, 'TokenIssuerUnavailable'],
  'answers 429': [(r) => r.writeHead(429).end(), 503, 'TokenIssuerUnavailable'],
  'cuts the connection': [(r) => r.destroy(), 503, 'TokenIssuerUnavailable'],
  'answers no JSON': [(r) => r.writeHead(200).end('<html>'), 502, 'TokenRefused'],
  'answers without a token': [(r) => r.writeHead(200).end('{"result":{}}'), 502, 'TokenRefused'],
  redirects: [(r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 502, 'TokenRefused'],
} satisfies Record<string, [(response: ServerResponse) => void, number, string]>;

for (const [trouble, [interfere, status, code]] of Object.entries(troubles)) {
  test(`an issuer that ${trouble} is a ${status} that says so; the next request asks again`, async () => {
    await using standIn = await startRelengapiStandIn();
    await using proxy = await startProxy(standInConfig(standIn));
    standIn.interfere = (response) => {
      interfere(response);
      return true;
    };

    const answer = await send(proxy.port, '/x');

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).code).toBe(code);
    expect(answer.text).not.toContain('secret innards');
    expect(answer.headers['retry-after']).toBe(status === 503 ? '5' : undefined);
    standIn.interfere = undefined;
    expect((await send(proxy.port, '/x')).status).toBe(200);
  });
}

test('neither token is in an answer or in the log', async () => {
  await using standIn = await startRelengapiStandIn();
  await using proxy = await startProxy(standInConfig(standIn));

  await send(proxy.port, '/x?token=abc');
  const [sent = ''] = standIn.seen.api;
  standIn.interfere = (response) => {
    response.writeHead(500).end(standIn.issuingToken);
    return true;
  };
  standIn.replaceKey();
  const failed = await send(proxy.port, '/x');

  expect(failed.status).toBe(503);
  expect(failed.text).not.toContain(standIn.issuingToken);
  expect(proxy.log()).toContain('forwarded');
  expect(proxy.log()).not.toContain(standIn.issuingToken);
  expect(proxy.log()).not.toContain(sent.slice('Bearer '.length));
});
