import { type HttpUrl, parseHttpUrl, rawPath } from '@docker-worker/service-kit';
import { expect, test } from '@jest/globals';
import { resolveTarget } from './resolve-target.ts';

const root = parseHttpUrl('https://tc.example.com') as HttpUrl;

function targetOf(rawUrl: string, base = root) {
  const target = resolveTarget(rawPath(rawUrl), base);
  return 'origin' in target ? `${target.origin}${target.path}` : target.status;
}

test.each([
  ['/api/queue/v1/x?q', 'https://tc.example.com/api/queue/v1/x?q'],
  ['/queue/v1/x?q', 'https://tc.example.com/api/queue/v1/x?q'],
  ['/queue/v1/y/z', 'https://tc.example.com/api/queue/v1/y/z'],
  ['/aws-provisioner/v1/y/z', 'https://tc.example.com/api/aws-provisioner/v1/y/z'],
  ['/queue/v1/y%2fz', 'https://tc.example.com/api/queue/v1/y%2fz'],
  ['/queue/v1/', 'https://tc.example.com/api/queue/v1/'],
  ['/queue/v1////a', 'https://tc.example.com/api/queue/v1////a'],
  ['/api/queue/v1/../../x/%2e%2e/', 'https://tc.example.com/api/queue/v1/../../x/%2e%2e/'],
  ['/api/q/v1/%2F%252F%25252F//', 'https://tc.example.com/api/q/v1/%2F%252F%25252F//'],
  ['/api/q/v1/x?a;b&%zz&+&&=', 'https://tc.example.com/api/q/v1/x?a;b&%zz&+&&='],
  ['/api/q/v1/{}|^\'"`<>\\', 'https://tc.example.com/api/q/v1/{}|^\'"`<>\\'],
  ['/api/q/v1/%ff', 'https://tc.example.com/api/q/v1/%ff'],
  ['/api/q/v1/x#part', 'https://tc.example.com/api/q/v1/x'],
  ['/api/q/v1/\u00c3\u00bc', 'https://tc.example.com/api/q/v1/%C3%BC'],
  ['http://taskcluster/api/queue/v1/x', 'https://tc.example.com/api/queue/v1/x'],
  ['HTTP://taskcluster:80/queue/v1/x', 'https://tc.example.com/api/queue/v1/x'],
  ['/tooltool.example.com/a/b?c', 'https://tooltool.example.com/a/b?c'],
  ['/Tooltool.Example.com//a', 'https://tooltool.example.com//a'],
  ['/tooltool.example.com', 'https://tooltool.example.com/'],
  ['/tooltool.example.com?a=1', 'https://tooltool.example.com/?a=1'],
  ['/api.example.com/x', 'https://api.example.com/x'],
  ['/bewit.example.com/x', 'https://bewit.example.com/x'],
  ['/credentials.example.com/x', 'https://credentials.example.com/x'],
])('%s → %s', (rawUrl, url) => {
  expect(targetOf(rawUrl)).toBe(url);
});

test.each([
  ['/', 404],
  ['/x@/', 404],
  ['/api', 404],
  ['/api/q', 404],
  ['/api/q/v1', 404],
  ['/api?x=/q/v1/x', 404],
  ['/apifoo', 404],
  ['/queue', 404],
  ['/queue/v1', 404],
  ['/queue/v1?a=/b', 404],
  ['//h/x', 404],
  ['/host.example:8443/x', 404],
  ['/user@host.example/x', 404],
  ['/.example.com/x', 404],
  ['/example..com/x', 404],
  ['/queue%2Fv1/x', 404],
  ['*', 404],
  ['/api/q/v1/%zz', 400],
  ['/api/q/v1/%', 400],
  ['/api/q/v1/%4', 400],
])('%s is answered with %d', (rawUrl, status) => {
  expect(targetOf(rawUrl)).toBe(status);
});

test('a root URL may have a port, a base path and IPv6', () => {
  const base = parseHttpUrl('http://[::1]:8080/base') as HttpUrl;

  expect(targetOf('/queue/v1/x', base)).toBe('http://[::1]:8080/base/api/queue/v1/x');
});
