import { expect, test } from '@jest/globals';
import { missingSecrets } from './missing-secrets.ts';

test('secrets that a task names and that are not given are missing, patterns are not', () => {
  const scopes = ['secrets:get:a', 'secrets:get:b', 'secrets:get:b', 'secrets:get:c/*', 'secrets:set:d'];

  expect(missingSecrets(scopes, new Map([['a', {}]]))).toEqual(['b']);
});
