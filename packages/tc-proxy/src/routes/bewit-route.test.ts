import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { startProxy } from '../testing/start-proxy.ts';

test('the answer is a 303 whose text is its Location, for any host', async () => {
  await using proxy = await startProxy('https://tc.example.com');

  const url = 'https://other.example/a?b=1&a=2';
  const { status, headers, text } = await send(proxy.port, '/bewit', { method: 'POST', body: ` ${url}\n` });

  expect(status).toBe(303);
  expect(headers.location).toBe(text);
  expect(headers['content-type']).toMatch(/^text\/plain/);
  expect(headers['x-taskcluster-proxy-perm-clientid']).toBe('tester');
  expect(text.startsWith(`${url}&bewit=`)).toBe(true);
});

test.each([['application/json'], ['text/plain;;'], [';']])(
  'a Content-Type of %j does not matter',
  async (type) => {
    await using proxy = await startProxy('https://tc.example.com');

    const headers = { 'content-type': type };
    const { status } = await send(proxy.port, '/bewit', {
      method: 'POST',
      headers,
      body: 'https://h.example/',
    });

    expect(status).toBe(303);
  },
);

test('text that is no URL is a 400', async () => {
  await using proxy = await startProxy('https://tc.example.com');

  const { status, text } = await send(proxy.port, '/bewit', { method: 'POST', body: 'queue/v1/x' });

  expect([status, JSON.parse(text).code]).toEqual([400, 'InputError']);
});

test('GET is a 405', async () => {
  await using proxy = await startProxy('https://tc.example.com');

  const { status, headers } = await send(proxy.port, '/bewit');

  expect([status, headers.allow]).toEqual([405, 'POST']);
});
