import { join } from 'node:path';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { runService } from '@docker-worker/service-kit/testing/run-service';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';

const main = join(import.meta.dirname, 'main.ts');

test('without PROXIED_SERVER it ends with the words of the original', async () => {
  await using service = runService(main, []);

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain('Environment variable PROXIED_SERVER must be set.');
});

test('--check-config reads the VPN configuration', async () => {
  await using service = runService(main, ['--check-config', '--vpn-dir', '/nowhere'], {
    PROXIED_SERVER: 'http://127.0.0.1',
  });

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain('/nowhere/config.conf cannot be read (ENOENT)');
});

test('under the control channel it is ready when the upstream is, and ends with its input', async () => {
  await using upstream = await startServer((_, response) => response.writeHead(401).end());
  await using service = runService(main, ['--control', 'stdin']);
  const config = { upstream: upstream.url, tunnel: 'none', waitSeconds: 5, port: 0, adminPort: 0 };
  service.send({ type: 'configure', config });

  const reply = (await service.reply()) as { type: string; port: number };

  expect(reply.type).toBe('ready');
  expect((await send(reply.port, '/')).status).toBe(401);
  service.endInput();
  expect(await service.exited).toBe(0);
});

test('under the control channel an upstream that is not reached is refused with the reason', async () => {
  await using service = runService(main, ['--control', 'stdin']);
  const config = { upstream: 'http://127.0.0.1:1', tunnel: 'none', waitSeconds: 0.5, port: 0, adminPort: 0 };
  service.send({ type: 'configure', config });

  expect(await service.reply()).toMatchObject({
    type: 'refused',
    message: expect.stringContaining('127.0.0.1:1 refused the connection'),
  });
  expect(await service.exited).toBe(1);
});
