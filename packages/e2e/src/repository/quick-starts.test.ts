import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startFakeDeviceCloud } from '@docker-worker/fake-device-cloud';
import type { LocalTaskcluster } from '@docker-worker/local-taskcluster';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import { type ListeningServer, listening } from '@docker-worker/service-kit/testing/listening';
import { bridgeGateway } from '@docker-worker/worker';
import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { pasteQuickStarts } from '../harness/quick-starts.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../../..');

test('tc-proxy: both quick starts sign a request', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();

  const output = await pasteQuickStarts('tc-proxy', folder.path, filledIn(deployment.local));

  expect(output.match(/"scopes":\["[^\]]*queue:get-artifact:project\/\*/g)).toHaveLength(2);
});

test('relengapi-proxy: both quick starts put the token on a request', async () => {
  await using server = await startEcho();
  await using folder = await makeTempDir();

  const output = await pasteQuickStarts('relengapi-proxy', folder.path, {
    'https://api.example.com': server.url,
  });

  expect(output.match(/authorization: Bearer my-token/g)).toHaveLength(2);
});

test('vpn-proxy: both quick starts reach the server', async () => {
  await using server = await startEcho();
  await using folder = await makeTempDir();

  const output = await pasteQuickStarts('vpn-proxy', folder.path, {
    'https://server.example.com': server.url,
  });

  expect(output.match(/x-nginx-proxy: true/g)).toHaveLength(2);
});

test('testdroid-proxy: both quick starts list the phones', async () => {
  await using cloud = await startFakeDeviceCloud({
    host: await bridgeGateway(docker),
    apiKey: 'key-of-a-test',
  });
  await using folder = await makeTempDir();

  const output = await pasteQuickStarts('testdroid-proxy', folder.path, {
    'https://cloud.bitbar.com/': `${cloud.url}/`,
    'my-key': 'key-of-a-test',
  });

  expect(output.match(/"displayName"/g)?.length).toBeGreaterThan(1);
});

test('exec-ws-server: both quick starts serve the page', async () => {
  await using disposal = new AsyncDisposableStack();
  const container = await docker.createContainer({
    Image: 'docker-worker/example-task',
    Cmd: ['sleep', '60'],
    HostConfig: { NetworkMode: 'none' },
  });
  disposal.defer(() => container.remove({ force: true }));
  await container.start();
  await using folder = await makeTempDir();

  const output = await pasteQuickStarts('exec-ws-server', folder.path, { 'my-container': container.id });

  expect(output.match(/<title>/g)).toHaveLength(2);
});

test('tc-proxy: compose.yaml brings it up', async () => {
  await using deployment = await startDeployment();
  const { rootUrl, credentials } = deployment.local;
  const port = String(await freePort());
  const compose = (...args: string[]) =>
    run('docker-compose', ['--project-name', `docker-worker-test-${process.pid}`, ...args], {
      cwd: join(repository, 'packages/tc-proxy'),
      env: {
        ...process.env,
        PORT: port,
        TASKCLUSTER_ROOT_URL: rootUrl,
        TASKCLUSTER_CLIENT_ID: credentials.clientId,
        TASKCLUSTER_ACCESS_TOKEN: credentials.accessToken,
      },
    });
  await using disposal = new AsyncDisposableStack();
  disposal.defer(async () => {
    await compose('down', '--timeout', '5');
  });

  await compose('up', '--detach');

  const url = `http://127.0.0.1:${port}/api/auth/v1/scopes/current`;
  const { stdout } = await run('curl', [
    '--silent',
    '--fail',
    '--retry',
    '20',
    '--retry-delay',
    '1',
    '--retry-all-errors',
    url,
  ]);
  expect(JSON.parse(stdout)).toHaveProperty('scopes');
});

test.each([
  ['relengapi-proxy', {}],
  ['vpn-proxy', { PROXIED_SERVER: 'https://server.example.com' }],
  ['testdroid-proxy', { TESTDROID_API_KEY: 'none' }],
  ['exec-ws-server', { CONTAINER: 'none' }],
])('%s: compose.yaml is valid', async (name, env) => {
  const { stdout } = await run('docker-compose', ['config'], {
    cwd: join(repository, 'packages', name),
    env: { ...process.env, ...env },
  });

  expect(stdout).toContain(`docker-worker/${name}`);
});

function filledIn({ rootUrl, credentials }: LocalTaskcluster): Record<string, string> {
  return {
    'https://taskcluster.example.com': rootUrl,
    'project/me': credentials.clientId,
    'my-token': credentials.accessToken,
  };
}

/** Answers with the headers of the request; reached from the host and from containers. */
async function startEcho(): Promise<ListeningServer> {
  const server = createServer((request, response) => {
    const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
    response.end(`${lines.join('\n')}\n`);
  });
  return await listening(server, { host: await bridgeGateway(docker), port: 0 });
}
