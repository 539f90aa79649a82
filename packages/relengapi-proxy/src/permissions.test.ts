import { expect, test } from '@jest/globals';
import { permissionsFromScopes } from './permissions.ts';

const prefix = 'docker-worker:relengapi-proxy:';
const allowed = ['a', 'b.c'];

test('permissions come from scopes with the prefix, in their order, repetitions kept', () => {
  const scopes = [
    `${prefix}b.c`,
    'queue:x',
    `${prefix}a`,
    `${prefix}b.c`,
    'docker-worker:relengapi-proxyX:a',
  ];
  expect(permissionsFromScopes(scopes, allowed)).toEqual({ granted: ['b.c', 'a', 'b.c'], refused: [] });
});

test('a permission that is not allowed is refused, and which are is told', () => {
  expect(permissionsFromScopes([`${prefix}d`], allowed).refused).toEqual([
    { scope: `${prefix}d`, reason: 'only a, b.c is allowed here' },
  ]);
});

test('a wildcard is expanded in neither direction', () => {
  const scopes = ['*', 'docker-worker:*', `${prefix}*`, `${prefix}b.*`];
  expect(permissionsFromScopes(scopes, [...allowed, '*'])).toEqual({
    granted: [],
    refused: [
      { scope: `${prefix}*`, reason: 'wildcards are not expanded' },
      { scope: `${prefix}b.*`, reason: 'wildcards are not expanded' },
    ],
  });
});

test('an empty permission is refused', () => {
  expect(permissionsFromScopes([prefix], allowed)).toEqual({
    granted: [],
    refused: [{ scope: prefix, reason: 'it names no permission' }],
  });
});
