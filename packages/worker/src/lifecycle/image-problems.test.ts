import { expect, test } from '@jest/globals';
import type { WorkerConfig } from '../config/config.ts';
import { registryCredentials } from '../config/registry-credentials.ts';
import { testConfig } from '../config-file/testing/worker-config.ts';
import type { FeatureRequest } from '../features/feature.ts';
import { payloadSchemaFor } from '../features/payload-schema.ts';
import { imageProblems } from './image-problems.ts';

const registries = {
  'reg.example.com': { username: 'host', password: 'p' },
  'reg.example.com/team': { username: 'team', password: 'p' },
  'slash.example.com/': { username: 'slash', password: 'p' },
  'registry.hub.docker.com/hubuser': { username: 'hub', password: 'p' },
};

test.each([
  ['reg.example.com/other/x:1', 'host'],
  ['reg.example.com/team/x:1', 'team'],
  ['slash.example.com/a/b', 'slash'],
  ['hubuser/x', 'hub'],
  ['docker.io/hubuser/x', 'hub'],
  ['index.docker.io/hubuser/x:1', 'hub'],
  ['hubother/x', undefined],
  ['reg.example.com', undefined],
  ['reg.example.com/a/b/c', undefined],
  ['toString/x/y', undefined],
])('the credentials for %s are %s', (name, username) => {
  expect(registryCredentials(config(), name)?.username).toBe(username);
});

test('an image that needs credentials needs a scope with its tag', () => {
  expect(problems('hubuser/x', [])).toEqual([
    'Not authorized to use the image hubuser/x. ' +
      'Try adding docker-worker:image:hubuser/x:latest to the .scopes array.',
  ]);
});

test.each(['docker-worker:image:hubuser/x:latest', 'docker-worker:image:hubuser/*'])(
  '%s allows it',
  (scope) => {
    expect(problems('hubuser/x', [scope])).toEqual([]);
  },
);

test('an image that needs no credentials needs no scope', () => {
  expect(problems('ubuntu:24.04', [])).toEqual([]);
  expect(problems({ type: 'docker-image', name: 'a.example.com/b/c' }, [])).toEqual([]);
});

test('a private image artifact needs its scope, and roles do not count', () => {
  const image = { type: 'task-image', taskId: 'abc', path: 'private/image.tar.zst' };

  expect(problems(image, ['assume:a'])).toEqual([
    'Not authorized to use the image artifact private/image.tar.zst. ' +
      'Try adding queue:get-artifact:private/image.tar.zst to the .scopes array.',
  ]);
  expect(problems(image, ['queue:get-artifact:private/*'])).toEqual([]);
});

test.each(['public/image.tar', '/public/image.tar.gz', 'public/a/image.tgz', 'public/x.tar.lz4'])(
  'anybody may use %s',
  (path) => {
    expect(problems({ type: 'indexed-image', namespace: 'a.b', path }, [])).toEqual([]);
  },
);

test('an archive of an unknown kind is refused before it is downloaded', () => {
  expect(problems({ type: 'task-image', taskId: 'abc', path: 'public/image.rar' }, [])).toEqual([
    expect.stringContaining('unsupported kind of image archive'),
  ]);
});

function problems(image: unknown, scopes: string[]): string[] {
  const payload = payloadSchemaFor().parse({ image, maxRunTime: 1 });
  const request = { task: { scopes }, payload, config: config() } as FeatureRequest;
  return imageProblems(request).map(({ message }) => message);
}

function config(): WorkerConfig {
  return testConfig({ registries });
}
