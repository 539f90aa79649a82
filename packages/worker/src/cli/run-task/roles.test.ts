import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { createRoles, missingScopesText, parseRoles, unknownRoles } from './roles.ts';

test('roles are read with and without "assume:", and add up', () => {
  expect(parseRoles(['assume:repo:a/b:*=x:1, x:2', 'repo:a/b:*=y', 'c=z=1'])).toEqual(
    new Map([
      ['repo:a/b:*', ['x:1', 'x:2', 'y']],
      ['c', ['z=1']],
    ]),
  );
});

test.each(['repo:a', 'assume:=x', 'repo:a=', 'repo:a=,', ''])('%j is no role', (value) => {
  expect(() => parseRoles([value])).toThrow(/^--role wants ROLE=SCOPE,SCOPE, as in/);
});

test('roles of which nothing is known are found, each once', () => {
  const roles = parseRoles(['repo:a:*=x', 'hook:b=y']);

  expect(
    unknownRoles(
      ['assume:repo:a:branch:main', 'assume:hook:b', 'assume:hook:*', 'assume:c', 'assume:c', 'd'],
      roles,
    ),
  ).toEqual(['c']);
});

test('what is missing is told with the role and the option that gives it', async () => {
  await using local = await startLocalTaskcluster();
  const client = { rootUrl: local.rootUrl, credentials: local.credentials, retries: 0 };
  const seen = Promise.withResolvers<string[]>();
  local.onRequest((request) => {
    if (request.missingScopes !== undefined) {
      seen.resolve([missingScopesText(request, ['assume:repo:a']), missingScopesText(request, [])]);
    }
  });
  const poor = new taskcluster.Secrets({ ...client, authorizedScopes: ['assume:repo:a'] });
  await expect(poor.get('one')).rejects.toMatchObject({ statusCode: 403 });

  expect(await seen.promise).toEqual([
    'GET /api/secrets/v1/secret/one was refused: the task lacks secrets:get:one (by its scopes, or by the role repo:a); ' +
      "to give it that, add --role 'assume:repo:a=secrets:get:one'",
    "GET /api/secrets/v1/secret/one was refused: the task lacks secrets:get:one; to give it that, add --scope 'secrets:get:one'",
  ]);

  await createRoles(new taskcluster.Auth(client), parseRoles(['assume:repo:a=secrets:get:one']));
  await expect(poor.get('one')).rejects.toMatchObject({ statusCode: 404 });
});

test('a role that cannot be is told by its option', async () => {
  await using local = await startLocalTaskcluster();
  const auth = new taskcluster.Auth({ rootUrl: local.rootUrl, credentials: local.credentials, retries: 0 });

  await expect(createRoles(auth, parseRoles(['anonymous=x']))).rejects.toThrow(/^--role anonymous: /);
});
