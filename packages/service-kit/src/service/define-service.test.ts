import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runService } from '../testing/run-service.ts';
import { send } from '../testing/send.ts';

const greeter = join(import.meta.dirname, '..', 'testing', 'greeter.ts');
const credentials = { clientId: 'me', accessToken: 'canary-access-token' };
const environment = {
  GREETER_GREETING: 'hello',
  GREETER_CLIENT_ID: 'me',
  GREETER_ACCESS_TOKEN: credentials.accessToken,
  GREETER_ADMIN_PORT: '0',
  GREETER_REVISION: 'abc',
};
const configure = {
  type: 'configure' as const,
  config: { greeting: 'hello', credentials, adminPort: 0 },
};

function controlled() {
  return runService(greeter, ['--control', 'stdin'], { GREETER_REVISION: 'abc' });
}

async function readyPorts(service: ReturnType<typeof controlled>) {
  service.send(configure);
  const reply = await service.reply();
  if (reply.type !== 'ready') throw new Error(`expected ready, got ${JSON.stringify(reply)}`);
  return reply;
}

test('configure is answered by ready with both ports, and the service serves', async () => {
  await using service = controlled();

  const ready = await readyPorts(service);

  expect(ready).toMatchObject({ name: 'greeter', version: '1.2.3' });
  expect((await send(ready.port, '/')).text).toContain('"greeting":"hello"');
  expect((await send(ready.adminPort, '/live')).status).toBe(200);
  expect((await send(ready.adminPort, '/ready')).status).toBe(200);
  expect(JSON.parse((await send(ready.adminPort, '/health')).text)).toEqual({ ready: true });
  expect((await send(ready.adminPort, '/metrics')).text).toContain('process_cpu_seconds_total');
  expect(JSON.parse((await send(ready.adminPort, '/version')).text)).toEqual({
    name: 'greeter',
    version: '1.2.3',
    revision: 'abc',
  });
  expect((await send(ready.adminPort, '/elsewhere')).status).toBe(404);
  expect((await send(ready.adminPort, '/live', { method: 'POST' })).status).toBe(405);
});

test('credentials are applied while it runs', async () => {
  await using service = controlled();
  const { port } = await readyPorts(service);

  service.send({ type: 'credentials', credentials: { clientId: 'another', accessToken: 'second-token' } });

  expect(await service.reply()).toEqual({ type: 'applied', request: 'credentials' });
  expect((await send(port, '/')).text).toContain('"by":"another"');
});

test('credentials that the service does not want are refused with its reason and change nothing', async () => {
  await using service = controlled();
  const { port } = await readyPorts(service);

  service.send({ type: 'credentials', credentials: { clientId: 'unwanted', accessToken: 'second-token' } });

  expect(await service.reply()).toEqual({
    type: 'refused',
    request: 'credentials',
    message: 'this client is not wanted',
  });
  expect((await send(port, '/')).text).toContain('"by":"me"');
});

test.each([
  [
    'half of them',
    '{"type":"credentials","credentials":{"clientId":"x"}}',
    'credentials',
    /accessToken.*required/,
  ],
  ['a second configure', '{"type":"configure","config":{}}', 'configure', /already/],
  ['no JSON', '{"type":"credentials", canary-access-token', 'credentials', /not valid JSON/],
  ['an unknown message', '{"type":"launch"}', 'unknown', /type/],
])('a running service refuses %s and goes on', async (_, line, request, message) => {
  await using service = controlled();
  const { port } = await readyPorts(service);

  service.send(`${line}\n`);

  expect(await service.reply()).toEqual({
    type: 'refused',
    request,
    message: expect.stringMatching(message),
  });
  expect((await send(port, '/')).status).toBe(200);
});

test('a configuration with mistakes is refused with all of them, and the service exits with 1', async () => {
  await using service = controlled();

  service.send({
    type: 'configure',
    config: { credentials: { clientId: 'me', accessToken: 7 }, shoutt: true },
  });

  const reply = await service.reply();
  expect(reply).toMatchObject({ type: 'refused', request: 'configure' });
  expect(reply.type === 'refused' && reply.message).toMatch(/greeting: is required.*accessToken.*shoutt/s);
  expect(await service.exited).toBe(1);
});

test('a first message other than configure ends the service', async () => {
  await using service = controlled();

  service.send({ type: 'credentials', credentials });

  expect(await service.reply()).toMatchObject({ type: 'refused', request: 'credentials' });
  expect(await service.exited).toBe(1);
});

test('a line beyond 4 MiB is refused and ends the service', async () => {
  await using service = controlled();
  await readyPorts(service);

  service.send('x'.repeat(4 * 1024 * 1024 + 1));

  expect(await service.reply()).toMatchObject({ type: 'refused', request: 'unknown' });
  expect(await service.exited).toBe(0);
});

test('the end of input ends a warm service that was never configured', async () => {
  await using service = controlled();

  service.endInput();

  expect(await service.exited).toBe(0);
  expect(service.stdout()).toBe('');
});

test('the end of input lets a request in flight finish, then the service exits with 0', async () => {
  await using service = controlled();
  const { port } = await readyPorts(service);
  const slow = send(port, '/slow');
  await send(port, '/');

  service.endInput();

  expect((await slow).text).toBe('begun, done');
  expect(await service.exited).toBe(0);
});

test('a request that never ends is cut after the drain time', async () => {
  await using service = controlled();
  const { port } = await readyPorts(service);
  const hanging = send(port, '/hang').catch((error: Error) => error);
  await send(port, '/');
  const endedAt = performance.now();

  service.endInput();

  expect(await service.exited).toBe(0);
  expect(performance.now() - endedAt).toBeLessThan(2_500);
  expect(await hanging).toMatchObject({ code: 'ECONNRESET' });
});

test('SIGTERM drains as well', async () => {
  await using service = controlled();
  const { port } = await readyPorts(service);
  const slow = send(port, '/slow');
  await send(port, '/');

  service.signal('SIGTERM');

  expect((await slow).text).toBe('begun, done');
  expect(await service.exited).toBe(0);
});

test('standard output carries replies only, and no secret comes out anywhere', async () => {
  await using service = controlled();
  const { port } = await readyPorts(service);
  await send(port, '/log');
  await send(port, '/crash');

  expect(await service.exited).toBe(1);
  expect(service.stdout().trim().split('\n')).toHaveLength(1);
  expect(service.stderr()).toContain('printed');
  expect(service.stderr()).toContain('https://example.com/a');
  expect(service.stderr()).toContain('crashed with [redacted]');
  expect(service.stdout() + service.stderr()).not.toMatch(/canary|abc"/);
});

test('other options beside --control stdin are refused', async () => {
  await using service = runService(greeter, ['--control', 'stdin', '--port', '1']);

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain('takes no other options');
});

test('stand-alone it reads variables, and a flag wins over its variable', async () => {
  await using service = runService(greeter, ['--greeting', 'good day', '--loud', 'a', '-b', '--', '-c'], {
    ...environment,
    GREETER_PORT: '',
  });
  // -b is no option of this service.
  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain('unknown option -b');

  await using other = runService(greeter, ['--greeting', 'good day', '--loud', 'a', '--', '-c'], environment);
  await other.stderrHas('Health and metrics');
  const port = Number(/Serving on port (\d+)/.exec(other.stderr())?.[1]);
  const answer = JSON.parse((await send(port, '/')).text);
  expect(answer).toMatchObject({ greeting: 'good day', isLoud: true, names: ['a', '-c'], by: 'me' });
});

test('--no- turns a boolean option off again', async () => {
  await using service = runService(greeter, ['--no-loud'], { ...environment, GREETER_LOUD: 'true' });

  await service.stderrHas('Health and metrics');

  const port = Number(/Serving on port (\d+)/.exec(service.stderr())?.[1]);
  expect(JSON.parse((await send(port, '/')).text)).toMatchObject({ isLoud: false });
});

test('stand-alone all start-up mistakes are told at once, by flag and variable and without secrets', async () => {
  await using service = runService(greeter, ['--port', '70000', '--nonsense', '--loud=maybe'], {
    GREETER_ACCESS_TOKEN: credentials.accessToken,
  });

  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain('--port (GREETER_PORT): port 70000 is not in range [0,65535]');
  expect(service.stderr()).toContain('--greeting (GREETER_GREETING): is required');
  expect(service.stderr()).toContain('--client-id (GREETER_CLIENT_ID): is required');
  expect(service.stderr()).toContain('unknown option --nonsense');
  expect(service.stderr()).toContain("--loud (GREETER_LOUD): 'maybe' is neither true nor false");
  expect(service.stderr()).not.toContain('canary');
});

test('--check-config says whether the options are valid, and opens nothing', async () => {
  await using valid = runService(greeter, ['--greeting', 'hi', '--check-config'], environment);
  await using invalid = runService(greeter, ['--check-config', '--port', '70000'], environment);

  expect(await valid.exited).toBe(0);
  expect(valid.stdout()).toBe('the configuration is valid\n');
  expect(await invalid.exited).toBe(1);
  expect(invalid.stderr()).toContain('--port (GREETER_PORT): port 70000 is not in range');
});

test('a port in use is named', async () => {
  await using first = controlled();
  const { port } = await readyPorts(first);
  await using second = runService(greeter, ['--port', String(port)], environment);

  expect(await second.exited).toBe(1);
  expect(second.stderr()).toContain(`port ${port}: the port is in use`);
});

test('--help shows every option with its variable and default', async () => {
  await using service = runService(greeter, ['--help']);

  expect(await service.exited).toBe(0);
  for (const name of [
    'port',
    'greeting',
    'client-id',
    'access-token',
    'admin-port',
    'admin-address',
    'log-level',
  ]) {
    expect(service.stdout()).toMatch(new RegExp(`--${name} .*\\[\\$GREETER_[A-Z_]+\\]`));
  }
  expect(service.stdout()).toContain('Usage: greeter [options] [<name>...]');
  expect(service.stdout()).toContain('--[no-]loud');
});

test('--version and --short-version exit with 0', async () => {
  await using long = runService(greeter, ['--version'], { GREETER_REVISION: 'abc' });
  await using short = runService(greeter, ['--short-version']);

  expect([await long.exited, await short.exited]).toEqual([0, 0]);
  expect(long.stdout()).toBe('greeter 1.2.3 (git revision abc)\n');
  expect(short.stdout()).toBe('1.2.3\n');
});

test('--healthcheck exits with 0 while the service lives and with 1 after', async () => {
  await using service = controlled();
  const { adminPort } = await readyPorts(service);
  await using healthy = runService(greeter, ['--healthcheck'], { GREETER_ADMIN_PORT: String(adminPort) });
  expect(await healthy.exited).toBe(0);

  service.endInput();
  await service.exited;

  await using gone = runService(greeter, ['--healthcheck', '--admin-port', String(adminPort)]);
  expect(await gone.exited).toBe(1);
  expect(gone.stderr()).toContain('ECONNREFUSED');
});
