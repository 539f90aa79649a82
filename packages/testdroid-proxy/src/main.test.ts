import { join } from 'node:path';
import { startFakeDeviceCloud } from '@docker-worker/fake-device-cloud';
import { runService } from '@docker-worker/service-kit/testing/run-service';
import { expect, test } from '@jest/globals';

const main = join(import.meta.dirname, 'main.ts');
const cloudUrl = 'https://cloud.example.com/';
const flame = { type: 'flame', build: 'https://example.com/builds/one/flame.zip', memory: '319' };

test('--version prints the name that the original had', async () => {
  const { code, stdout } = await exitOf(['--version']);

  expect(stdout).toMatch(/^Testdroid proxy \d+\.\d+\.\d+\n$/);
  expect(code).toBe(0);
});

test.each([
  [{}, 'give either the API key, or user name and password'],
  [{ TESTDROID_USERNAME: 'joe@example.com' }, 'give either the API key, or user name and password'],
  [
    { TESTDROID_API_KEY: 'the-key', TESTDROID_PASSWORD: 'the-password' },
    'give either the API key, or user name and password',
  ],
])('an account as %j is refused', async (env, reason) => {
  const { code, stderr } = await exitOf(['--cloud-url', cloudUrl], env);

  expect(stderr).toContain(reason);
  expect(stderr).not.toContain('the-key');
  expect(code).toBe(1);
});

test('--check-config takes the options of the original', async () => {
  const { code, stdout } = await exitOf(
    [
      ...['--check-config', '-c', cloudUrl, '-u', 'joe@example.com', '--device-timeout', '600'],
      ...['--taskcluster-client-id', 'client', '--flash', '{project: flash-fxos-new-url}'],
    ],
    { TESTDROID_PASSWORD: 'secret', TASKCLUSTER_ACCESS_TOKEN: 'token' },
  );

  expect([code, stdout]).toEqual([0, 'the configuration is valid\n']);
});

test('SIGTERM gives the phone back before the process ends', async () => {
  await using cloud = await startFakeDeviceCloud();
  await using service = runService(
    main,
    ['--cloud-url', cloud.url, '--port', '0', '--admin-port', '0', '--proxy-pause', '0.1'],
    { TESTDROID_API_KEY: 'fake-api-key' },
  );
  await service.stderrHas('Serving on');
  const port = Number(/Serving on .* port (\d+)/.exec(service.stderr())?.[1]);
  expect((await borrow(port)).status).toBe(200);
  expect(cloud.state.sessions.open).toHaveLength(1);

  service.signal('SIGTERM');

  expect(await service.exited).toBe(0);
  expect(cloud.state.sessions.open).toEqual([]);
  expect(service.stderr()).not.toContain('fake-api-key');
});

test('the worker is told of a session, and the end of its channel is the end of the session', async () => {
  await using cloud = await startFakeDeviceCloud();
  await using service = runService(main, ['--control', 'stdin']);
  service.send({
    type: 'configure',
    config: { cloudUrl: cloud.url, apiKey: 'fake-api-key', port: 0, adminPort: 0 },
  });
  const { port } = (await service.reply()) as { port: number };
  await borrow(port);

  expect(await service.reply()).toEqual({
    type: 'event',
    event: { event: 'session-opened', sessionId: 1001, expires: expect.any(String) },
  });
  service.endInput();
  expect(await service.exited).toBe(0);
  expect(cloud.state.sessions.open).toEqual([]);
  expect(service.stdout()).toContain('{"event":"session-released","sessionId":1001}');
});

function borrow(port: number): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/device`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(flame),
  });
}

async function exitOf(argv: string[], env: Record<string, string> = {}) {
  await using service = runService(main, argv, env);
  return { code: await service.exited, stderr: service.stderr(), stdout: service.stdout() };
}
