import { expect, test } from '@jest/globals';
import { remoteOf } from './remote.ts';

test.each([
  ['https://github.com/org/name.git', 'https://github.com/org/name'],
  ['https://token@github.com/org/name', 'https://github.com/org/name'],
  ['git@github.com:org/name.git', 'https://github.com/org/name'],
  ['ssh://git@example.com:2222/org/name.git', 'https://example.com/org/name'],
  ['http://localhost:3000/group/sub/name/', 'http://localhost:3000/group/sub/name'],
])('%s is the page %s', (url, page) => {
  expect(remoteOf(url)?.htmlUrl).toBe(page);
});

test.each(['/srv/git/name.git', '../name', 'file:///srv/name', undefined])('%s has no page', (url) => {
  expect(remoteOf(url)).toBeUndefined();
});
