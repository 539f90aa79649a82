import { createHash } from 'node:crypto';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { contextVariables } from './docker-context.ts';

const hash = createHash('sha256').update('far').digest('hex');

/** A folder as the docker command line makes it, with one context, called far. */
async function cliFolder(use?: string, endpoint: object = { Host: 'tcp://127.0.0.1:2376' }) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'docker-cli-'));
  const meta = join(folder.path, 'contexts/meta', hash);
  await mkdir(meta, { recursive: true });
  await writeFile(
    join(meta, 'meta.json'),
    JSON.stringify({ Name: 'far', Metadata: {}, Endpoints: { docker: endpoint } }),
  );
  await writeFile(join(folder.path, 'config.json'), JSON.stringify({ auths: {}, currentContext: use }));
  return folder;
}

test('the context that is in use leads to its engine', async () => {
  await using folder = await cliFolder('far');

  expect(contextVariables({ DOCKER_CONFIG: folder.path })).toEqual({ DOCKER_HOST: 'tcp://127.0.0.1:2376' });
});

test('DOCKER_CONTEXT comes before the one in use, and DOCKER_HOST before both', async () => {
  await using folder = await cliFolder('other');
  const env = { DOCKER_CONFIG: folder.path, DOCKER_CONTEXT: 'far' };

  expect(contextVariables(env).DOCKER_HOST).toBe('tcp://127.0.0.1:2376');
  expect(contextVariables({ ...env, DOCKER_CONTEXT: 'default' })).toEqual({});
  expect(contextVariables({ ...env, DOCKER_HOST: 'unix:///run/docker.sock' })).toEqual({});
});

test.each([
  [{}, '1'],
  [{ SkipTLSVerify: true }, undefined],
])('certificates of a context are used: %j', async (more, verify) => {
  await using folder = await cliFolder('far', { Host: 'tcp://127.0.0.1:2376', ...more });
  const certificates = join(folder.path, 'contexts/tls', hash, 'docker');
  await mkdir(certificates, { recursive: true });

  const variables = contextVariables({ DOCKER_CONFIG: folder.path });

  expect(variables.DOCKER_CERT_PATH).toBe(certificates);
  expect(variables.DOCKER_TLS_VERIFY).toBe(verify);
});

test('a context that is not known is named, with the way to those that are', async () => {
  await using folder = await cliFolder();

  expect(() => contextVariables({ DOCKER_CONFIG: folder.path, DOCKER_CONTEXT: 'near' })).toThrow(
    /The docker context "near" is not known .*docker context ls/,
  );
});

test('a broken file of the docker command line is named', async () => {
  await using folder = await cliFolder();
  await writeFile(join(folder.path, 'config.json'), '{');

  expect(() => contextVariables({ DOCKER_CONFIG: folder.path })).toThrow(
    `${folder.path}/config.json of the docker command line cannot be read`,
  );
});

test('without any file there is no context', () => {
  expect(contextVariables({ DOCKER_CONFIG: '/nonexistent' })).toEqual({});
});
