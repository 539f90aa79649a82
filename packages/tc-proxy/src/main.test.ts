import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Option } from '@docker-worker/service-kit';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { runService } from '@docker-worker/service-kit/testing/run-service';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';
import { tcProxy } from './sidecar.ts';
import { answerJson, permanent, startHawkUpstream } from './testing/hawk-upstream.ts';
import { temporaryCredentials } from './testing/temporary-credentials.ts';

const main = join(import.meta.dirname, 'main.ts');
const canary = 'canary-access-token';

async function curl(...argv: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('curl', ['--silent', '--noproxy', '*', ...argv]);
  return stdout;
}

function startWhoAmI() {
  const clients = [permanent, { clientId: 'canary', accessToken: canary }];
  return startHawkUpstream((_, response, caller) => answerJson(response, 200, caller), { clients });
}

function configuration(rootUrl: string, more: object = {}) {
  const config = {
    rootUrl,
    credentials: { clientId: 'canary', accessToken: canary },
    port: 0,
    adminPort: 0,
    ...more,
  };
  return { type: 'configure' as const, config };
}

/** What was announced at start-up, once it is all there. */
async function servingPort(service: ReturnType<typeof runService>): Promise<number> {
  await service.stderrHas('Health and metrics');
  return Number(/Serving on .* port (\d+)/.exec(service.stderr())?.[1]);
}

test('beside a worker: ready, proxying, new credentials, gone with its input, and not one secret outside', async () => {
  await using upstream = await startWhoAmI();
  await using service = runService(main, ['--control', 'stdin']);

  service.send(configuration(upstream.url, { logLevel: 'trace', authorizedScopes: ['a'] }));
  const ready = await service.reply();
  expect(ready).toMatchObject({ type: 'ready', name: 'tc-proxy', version: manifest.version });
  const port = ready.type === 'ready' ? ready.port : 0;
  const first = await send(port, '/api/q/v1/x?bewit=canary-query');
  service.send({ type: 'credentials', credentials: temporaryCredentials(['a'], 'tester/second') });
  expect(await service.reply()).toEqual({ type: 'applied', request: 'credentials' });
  const then = await send(port, '/q/v1/x');
  service.send({
    type: 'credentials',
    credentials: { clientId: 'x', accessToken: canary, certificate: `{${canary}` },
  });
  const refused = await service.reply();
  service.endInput();

  expect(first.status).toBe(401); // a bewit that is none
  expect(JSON.parse(then.text)).toEqual({ clientId: 'tester/second', scopes: ['a'] });
  expect(refused).toMatchObject({ type: 'refused', request: 'credentials' });
  expect(await service.exited).toBe(0);
  const lines = service.stdout().trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(['ready', 'applied', 'refused']);
  expect(service.stdout() + service.stderr()).not.toContain(canary);
  expect(service.stderr()).not.toContain('canary-query');
});

test('beside a worker the task cannot reach a credentials route', async () => {
  await using upstream = await startWhoAmI();
  await using service = runService(main, ['--control', 'stdin']);
  service.send(configuration(upstream.url));
  const ready = await service.reply();
  const port = ready.type === 'ready' ? ready.port : 0;

  const { status } = await send(port, '/credentials', { method: 'PUT', body: JSON.stringify(permanent) });

  expect(status).toBe(404);
});

test('a configuration that cannot be used is refused by key, without the secret', async () => {
  await using service = runService(main, ['--control', 'stdin']);

  const credentials = { clientId: 'x', accessToken: canary, certificate: `{"${canary}` };
  service.send(configuration('not-a-url', { credentials, authorizedScopes: 'all' }));

  const reply = await service.reply();
  expect(reply).toMatchObject({ type: 'refused', request: 'configure' });
  const message = reply.type === 'refused' ? reply.message : '';
  expect(message).toMatch(/rootUrl: .*credentials\.certificate: .*authorizedScopes: /);
  expect(await service.exited).toBe(1);
  expect(service.stdout() + service.stderr()).not.toContain(canary);
});

test('stand-alone it takes the original’s flags and variables, and tells what it does but no secret', async () => {
  await using upstream = await startWhoAmI();
  await using service = runService(
    main,
    ['-p', '0', '-i', '::1', '--admin-port=0', '--root-url', upstream.url, 'a', 'b:*'],
    {
      TASKCLUSTER_CLIENT_ID: 'canary',
      TASKCLUSTER_ACCESS_TOKEN: canary,
    },
  );

  const port = await servingPort(service);
  const { text, headers } = await send(port, '/q/v1/x', { host: '::1' });
  const put = await send(port, '/credentials', {
    host: '::1',
    method: 'PUT',
    body: JSON.stringify(permanent),
  });

  expect(JSON.parse(text)).toEqual({ clientId: 'canary', scopes: ['a', 'b:*'] });
  expect(headers['x-taskcluster-authorized-scopes']).toBe('["a","b:*"]');
  expect(put.status).toBe(200);
  expect(service.stderr()).toContain('Serving on ::1');
  expect(service.stderr()).toContain('Access token: <not shown>');
  expect(service.stderr()).not.toContain(canary);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});

test.each([
  ['a task with scopes', { scopes: ['x', 'y'] }, ['given'], ['given', 'x', 'y']],
  ['a task without scopes', {}, [], []],
])('--task-id adds the scopes of %s', async (_, task, given, expected) => {
  await using upstream = await startServer((request, response) => {
    if (request.url === '/api/queue/v1/task/-_AAAAAAAAAAAAAAAAAAAA') answerJson(response, 200, task);
    else answerJson(response, 404, {});
  });
  await using service = runService(
    main,
    ['--port', '0', '--admin-port', '0', '--task-id', '-_AAAAAAAAAAAAAAAAAAAA', ...given],
    {
      TASKCLUSTER_ROOT_URL: `${upstream.url}/`,
      TASKCLUSTER_CLIENT_ID: 'canary',
      TASKCLUSTER_ACCESS_TOKEN: canary,
    },
  );

  await servingPort(service);

  expect(service.stderr()).toContain(`Authorized scopes: ${JSON.stringify(expected)}\n`);
});

test('--task-id of a task that does not exist ends the start', async () => {
  await using upstream = await startServer((_, response) => answerJson(response, 404, {}));
  await using service = runService(main, ['--port', '0', '-t', 'AAAAAAAAAAAAAAAAAAAAAA'], {
    TASKCLUSTER_ROOT_URL: upstream.url,
    TASKCLUSTER_CLIENT_ID: 'canary',
    TASKCLUSTER_ACCESS_TOKEN: canary,
  });

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain('--task-id: the task cannot be fetched: the queue answered 404');
});

test.each([
  [['--port', 'abc'], "--port (TC_PROXY_PORT): 'abc' is not a whole number"],
  [['--port=-12345'], 'port -12345 is not in range [0,65535]'],
  [['-i', 'a.b'], 'invalid IPv4/IPv6 address specified - cannot parse: a.b'],
  [['--root-url', ''], '--root-url (TASKCLUSTER_ROOT_URL): is required'],
  [[], '--client-id (TASKCLUSTER_CLIENT_ID): is required'],
  [[], '--access-token (TASKCLUSTER_ACCESS_TOKEN): is required'],
  [['--certificate', 'canary'], '--certificate (TASKCLUSTER_CERTIFICATE): is not a certificate'],
  [['--ca', '/nowhere'], '--ca (TC_PROXY_CA): cannot be read (ENOENT)'],
  [['--ca', import.meta.filename], '--ca (TC_PROXY_CA): holds no certificate'],
  [['--https-proxy', 'ftp://x'], '--https-proxy (HTTPS_PROXY): is not an http or https URL'],
  [['--retry-deadline', 'soon'], '--retry-deadline (TC_PROXY_RETRY_DEADLINE): '],
])('%j exits with 1 and says: %s', async (argv, message) => {
  await using service = runService(main, argv);

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain(message);
});

test('--version has the form of the original', async () => {
  await using service = runService(main, ['--version'], { TC_PROXY_REVISION: 'abc' });

  expect(await service.exited).toBe(0);
  expect(service.stdout()).toBe(`Taskcluster proxy ${manifest.version} (git revision abc)\n`);
});

test('the official client works through it without credentials', async () => {
  await using upstream = await startHawkUpstream((request, response, { clientId }) => {
    if (request.url === '/api/queue/v1/task/AAAAAAAAAAAAAAAAAAAAAA/status')
      answerJson(response, 200, { clientId });
    else answerJson(response, 404, {});
  });
  await using service = runService(main, ['--port', '0', '--admin-port', '0'], {
    TASKCLUSTER_ROOT_URL: upstream.url,
    TASKCLUSTER_CLIENT_ID: permanent.clientId,
    TASKCLUSTER_ACCESS_TOKEN: permanent.accessToken,
  });
  const rootUrl = `http://127.0.0.1:${await servingPort(service)}`;

  const answer = await new taskcluster.Queue({ rootUrl }).status('AAAAAAAAAAAAAAAAAAAAAA');

  expect(answer).toEqual({ clientId: 'tester' });
});

test('curl works through it: GET, a large upload, a bewit, a refusal', async () => {
  let uploaded = 0;
  await using upstream = await startHawkUpstream((request, response, { clientId }) => {
    request.on('data', (chunk: Buffer) => {
      uploaded += chunk.length;
    });
    request.on('end', () => answerJson(response, 200, { clientId, url: request.url }));
  });
  await using service = runService(main, ['--port', '0', '--admin-port', '0'], {
    TASKCLUSTER_ROOT_URL: upstream.url,
    TASKCLUSTER_CLIENT_ID: permanent.clientId,
    TASKCLUSTER_ACCESS_TOKEN: permanent.accessToken,
  });
  const proxy = `http://127.0.0.1:${await servingPort(service)}`;
  const url = `${proxy}/api/queue/v1/a%2Fb//c?x={}&x`;

  const got = await curl('--globoff', '--path-as-is', url);
  // curl asks with Expect: 100-continue before it sends as much as this.
  const put = await curl('-T', process.execPath, '-H', 'Content-Type: a/b', `${proxy}/queue/v1/upload`);
  const signed = await curl('-L', '-d', `${upstream.url}/z?b=1&a=2`, `${proxy}/bewit`);
  const refused = await curl('-o', '/dev/null', '-w', '%{http_code}', `${proxy}/169.254.169.254/latest`);

  expect(JSON.parse(got)).toEqual({ clientId: 'tester', url: '/api/queue/v1/a%2Fb//c?x={}&x' });
  expect(JSON.parse(put).clientId).toBe('tester');
  expect(uploaded).toBe(statSync(process.execPath).size);
  expect(JSON.parse(signed).url).toMatch(/^\/z\?b=1&a=2&bewit=/);
  expect(refused).toBe('403');
});

test('--check-config says that the options are valid, and starts nothing', async () => {
  await using service = runService(main, ['--check-config', '--port', '1', 'scope'], {
    TASKCLUSTER_ROOT_URL: 'https://tc.example.com',
    TASKCLUSTER_CLIENT_ID: 'x',
    TASKCLUSTER_ACCESS_TOKEN: canary,
    https_proxy: 'proxy.example.com:3128',
  });

  expect(await service.exited).toBe(0);
  expect(service.stdout()).toBe('the configuration is valid\n');
});

test('--check-config says what is wrong, and exits with 1', async () => {
  await using service = runService(main, ['--check-config', '--retry-methods', 'some', '--no-such']);

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain('--retry-methods (TC_PROXY_RETRY_METHODS): ');
  expect(service.stderr()).toContain('unknown option --no-such');
  expect(service.stderr()).toContain('--root-url (TASKCLUSTER_ROOT_URL): is required');
});

test('--help names each option’s variable', async () => {
  await using service = runService(main, ['--help']);

  expect(await service.exited).toBe(0);
  for (const option of Object.values<Option>(options)) {
    if (!option.positional) expect(service.stdout()).toContain(`[$${option.env}]`);
  }
});

test('the manifest’s schema tells an absent restriction, an empty one and a list apart', () => {
  const base = { rootUrl: 'https://tc.example.com/', credentials: permanent };

  expect(tcProxy.config.parse(base).authorizedScopes).toBeUndefined();
  expect(tcProxy.config.parse({ ...base, authorizedScopes: [] }).authorizedScopes).toEqual([]);
  expect(tcProxy.config.parse({ ...base, authorizedScopes: ['a'] }).authorizedScopes).toEqual(['a']);
  expect(tcProxy.config.parse(base)).toMatchObject({
    rootUrl: 'https://tc.example.com',
    port: 80,
    adminPort: 8081,
    credentialsEndpoint: false,
  });
});
