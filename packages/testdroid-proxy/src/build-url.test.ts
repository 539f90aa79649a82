import { expect, test } from '@jest/globals';
import Hawk from 'hawk';
import { buildUrl } from './build-url.ts';

const rootUrl = 'https://tc.example.com';
const credentials = { clientId: 'task-client', accessToken: 'the-token-of-the-task' };
const artifact = `${rootUrl}/api/queue/v1/task/x/artifacts/private%2Fbuild.zip`;

test('a URL of the deployment is signed with the task’s credentials and scopes', async () => {
  const signed = buildUrl(artifact, { rootUrl, credentials, authorizedScopes: ['queue:get-artifact:a'] });

  expect(signed.startsWith(`${artifact}?bewit=`)).toBe(true);
  const { attributes } = (await Hawk.uri.authenticate(
    { method: 'GET', url: signed.slice(rootUrl.length), headers: { host: 'tc.example.com:443' } } as never,
    async (id: string) => ({
      key: id === 'task-client' ? credentials.accessToken : 'another',
      algorithm: 'sha256' as const,
      user: id,
    }),
  )) as unknown as { attributes: { ext: string } };
  expect(JSON.parse(Buffer.from(attributes.ext, 'base64').toString())).toEqual({
    authorizedScopes: ['queue:get-artifact:a'],
  });
});

test('a URL that has a query keeps it', () => {
  expect(sign(`${artifact}?a=1`)).toMatch(/\?a=1&bewit=/);
});

test.each([
  'https://example.com/build.zip',
  'http://tc.example.com/api/x',
  'https://tc.example.com:8443/api/x',
  'https://tc.example.com.evil.example/api/x',
  'https://tc.example.com@evil.example/api/x',
  'https://user@tc.example.com/api/x',
  'https://eviltc.example.com/api/x',
  'no URL at all',
])('%s is given on as it is', (url) => {
  expect(sign(url)).toBe(url);
});

test('only what is below the path of the root URL is the deployment’s', () => {
  const given = { rootUrl: `${rootUrl}/tc`, credentials, authorizedScopes: [] };

  expect(buildUrl(`${rootUrl}/other/x`, given)).toBe(`${rootUrl}/other/x`);
  expect(buildUrl(`${rootUrl}/tc/../other/x`, given)).toBe(`${rootUrl}/tc/../other/x`);
  expect(buildUrl(`${rootUrl}/tc/x`, given)).toContain('bewit=');
});

test('without credentials nothing is signed', () => {
  expect(buildUrl(artifact, { rootUrl, credentials: undefined, authorizedScopes: [] })).toBe(artifact);
});

function sign(url: string): string {
  return buildUrl(url, { rootUrl, credentials, authorizedScopes: [] });
}
