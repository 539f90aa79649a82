import { once } from 'node:events';
import { join } from 'node:path';
import { runService } from '@docker-worker/service-kit/testing/run-service';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import manifest from '../package.json' with { type: 'json' };
import { execWsServer } from './sidecar.ts';
import { startContainer, type TestContainer } from './testing/container.ts';
import { TestSocket } from './testing/socket.ts';
import { runV1, v1Client } from './testing/v1-client.ts';

const main = join(import.meta.dirname, 'main.ts');
const secret = 'canary-secret-canary-secret';
let container: TestContainer;
beforeAll(async () => {
  container = await startContainer();
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

function configuration(more: object = {}) {
  const config = { container: container.id, secret, unrestricted: true, port: 0, adminPort: 0, ...more };
  return { type: 'configure' as const, config };
}

test('beside a worker: ready, serving, gone with its input, and not one secret outside', async () => {
  await using service = runService(main, ['--control', 'stdin']);
  service.send(configuration({ logLevel: 'trace' }));
  const ready = await service.reply();
  expect(ready).toMatchObject({ type: 'ready', name: 'exec-ws-server', version: manifest.version });
  const port = ready.type === 'ready' ? ready.port : 0;
  const address = `ws://127.0.0.1:${port}/${secret}/shell.sock`;
  expect((await runV1(address, ['echo', 'hi'])).stdout.toString()).toBe('hi\n');
  const client = v1Client(address, ['cat']);
  await client.execute();
  await once(client, 'resumed');
  const shutdown = once(client, 'shutdown');

  service.endInput();

  await shutdown;
  expect(await service.exited).toBe(0);
  expect(service.stdout().trim().split('\n')).toHaveLength(1);
  expect(service.stdout() + service.stderr()).not.toContain(secret);
});

test('with a certificate it speaks TLS, to a browser as to a client', async () => {
  await using service = runService(main, ['--control', 'stdin']);
  service.send(configuration(selfSigned()));
  const ready = await service.reply();
  const port = ready.type === 'ready' ? ready.port : 0;

  const { stdout } = await runV1(`wss://127.0.0.1:${port}/${secret}/shell.sock`, ['echo', 'hi']);

  expect(stdout.toString()).toBe('hi\n');
});

test('stand-alone it makes up a secret and tells the page', async () => {
  await using service = runService(main, [
    '--container',
    container.id,
    '--unrestricted',
    '--port=0',
    '--admin-port=0',
  ]);
  await service.stderrHas('Health and metrics');
  const page = /Page: http:\/\/(\S+)\/\n/.exec(service.stderr())?.[1];
  expect(service.stderr()).toContain('Warning: this process holds the whole Docker Engine');

  const socket = await TestSocket.open(`ws://${page}/session`);
  await socket.until(() => socket.json.length > 0);

  socket.socket.close();
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});

test.each([
  [['--unrestricted'], '--container (EXEC_WS_SERVER_CONTAINER): is required'],
  [['--container=x'], '--engine-socket (EXEC_WS_SERVER_ENGINE_SOCKET): either this or --unrestricted'],
  [['--container=x', '--unrestricted', '--secret=short'], '--secret (EXEC_WS_SERVER_SECRET): is not 22'],
  [['--cert=/nowhere'], '--cert (EXEC_WS_SERVER_CERT): cannot be read (ENOENT)'],
])('%j exits with 1 and says: %s', async (argv, message) => {
  await using service = runService(main, argv);

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain(message);
});

test('the manifest’s schema wants one way to the engine', () => {
  const base = { container: 'x', secret };

  expect(execWsServer.config.safeParse(base).success).toBe(false);
  expect(execWsServer.config.safeParse({ ...base, engineSocket: '/s', unrestricted: true }).success).toBe(
    false,
  );
  expect(execWsServer.config.parse({ ...base, engineSocket: '/s' })).toMatchObject({
    port: 80,
    maxSessions: 10,
  });
});
