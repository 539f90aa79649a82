import { expect, test } from '@jest/globals';
import Hawk from 'hawk';
import { signUrl } from './hawk-bewit.ts';
import { HawkKey } from './hawk-key.ts';

const key = 'a-key';
const credentials = { id: 'tester', key: new HawkKey(key), ext: 'eyJhIjoxfQ==' };

async function verify(url: string) {
  const [, host = '', port, path = ''] = /^https?:\/\/([^/:]+|\[[^\]]+\])(?::(\d+))?(\/.*)$/i.exec(url) ?? [];
  const standard = url.toLowerCase().startsWith('https') ? 443 : 80;
  return Hawk.uri.authenticate(
    { method: 'GET', url: path, headers: { host: `${host.toLowerCase()}:${port ?? standard}` } } as never,
    async () => ({ key, algorithm: 'sha256' as const, user: 'u' }),
  );
}

test.each([
  ['https://h.example/a'],
  ['https://h.example/a?b=1&a=2'],
  ['https://h.example/a?r=%20'],
  ['https://h.example/a?a=%2f'],
  ['https://h.example/a?a;b&&c=+'],
  ['https://h.example/a?bewit=old&x=1'],
  ['https://h.example/a%2Fb//c/../d'],
  ['https://h.example/a?{}|^\'"`'],
  ['http://h.example:8080/a'],
  ['HTTPS://H.Example/A'],
  ['https://[2001:db8::1]:8443/a'],
])('the bewit of %s is valid and its bytes are unchanged', async (url) => {
  const signed = signUrl(url, credentials) ?? '';

  expect(signed.startsWith(`${url}${url.includes('?') ? '&' : '?'}bewit=`)).toBe(true);
  const { attributes } = (await verify(signed)) as unknown as { attributes: { exp: string; ext: string } };
  expect(attributes.ext).toBe(credentials.ext);
  expect(Number(attributes.exp) - Date.now() / 1000).toBeGreaterThan(3_590);
});

test.each([
  ['a fragment is left out', 'https://h.example/a?b=1#part', 'https://h.example/a?b=1&bewit='],
  ['a missing path is a slash', 'https://h.example', 'https://h.example/?bewit='],
  ['a missing path before a query too', 'https://h.example?a=1', 'https://h.example/?a=1&bewit='],
  ['an empty query is none', 'https://h.example/a?', 'https://h.example/a?bewit='],
  ['other alphabets are percent-encoded', 'https://h.example/ü', 'https://h.example/%C3%BC?bewit='],
])('%s', async (_, url, start) => {
  const signed = signUrl(url, credentials) ?? '';

  expect(signed.slice(0, start.length)).toBe(start);
  await expect(verify(signed)).resolves.toBeDefined();
});

test.each([
  [''],
  ['/relative'],
  ['ftp://h.example/a'],
  ['https://user:pass@h.example/a'],
  ['https://h.example/a b'],
  ['https://h.example/a\nSet-Cookie: x'],
  ['https:///a'],
])('%j is not signed', (text) => {
  expect(signUrl(text, credentials)).toBeUndefined();
});
