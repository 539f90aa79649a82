import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { runService } from '@docker-worker/service-kit/testing/run-service';
import { send } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { startRelengapiStandIn } from './testing/relengapi-stand-in.ts';
import { standInConfig } from './testing/start-proxy.ts';

const main = join(import.meta.dirname, 'main.ts');
const taskId = '-abcdefghijklmnopqrstA';
const scope = 'docker-worker:relengapi-proxy:tooltool.download.public';

/** The queue as far as the proxy asks it: one task. */
function startQueue(scopes: string[]) {
  return startServer((request, response) => {
    const found = request.url === `/api/queue/v1/task/${taskId}`;
    response.writeHead(found ? 200 : 404).end(JSON.stringify({ scopes }));
  });
}

async function exitOf(argv: string[], env: Record<string, string> = {}) {
  await using service = runService(main, argv, env);
  return { code: await service.exited, stderr: service.stderr(), stdout: service.stdout() };
}

test('--version prints the name that the original had', async () => {
  const { code, stdout } = await exitOf(['--version']);
  expect(stdout).toMatch(/^RelengAPI proxy \d+\.\d+\.\d+\n$/);
  expect(code).toBe(0);
});

test('the issuing token is required', async () => {
  const { code, stderr } = await exitOf(['--scopes', scope]);
  expect(stderr).toContain('--relengapi-token: a route needs an issuing token and none is given');
  expect(code).toBe(1);
});

test('--check-config sees what a route lacks', async () => {
  const lacking = await exitOf(['--check-config', '--scopes', scope]);
  const complete = await exitOf(['--check-config', '--scopes', scope], { RELENG_API_TOKEN: 'x' });

  expect(lacking.stderr).toContain('--relengapi-token: a route needs an issuing token and none is given');
  expect([lacking.code, complete.code]).toEqual([1, 0]);
});

test('a task id without -- in front is a usage error', async () => {
  const { code, stderr } = await exitOf(['--relengapi-token=issuing-token', taskId]);
  expect(stderr).toContain('usage: relengapi-proxy [options] -- <taskId>');
  expect(code).toBe(1);
});

test('an unknown option is a usage error', async () => {
  const { code, stderr } = await exitOf(['--nonsense=1', '--', taskId]);
  expect(stderr).toContain('unknown option --nonsense');
  expect(code).toBe(1);
});

test('a task without any permission scope ends the start and is named', async () => {
  await using queue = await startQueue(['docker-worker:*', 'docker-worker:relengapi-proxy:*']);
  const { code, stderr } = await exitOf([
    '--relengapi-token=issuing-token',
    `--root-url=${queue.url}`,
    '--',
    taskId,
  ]);
  expect(stderr).toContain(
    `No RelengAPI permission scopes (matching 'docker-worker:relengapi-proxy:*') found on task ${taskId}`,
  );
  expect(stderr).toContain('docker-worker:relengapi-proxy:*: wildcards are not expanded');
  expect(code).toBe(1);
});

test('a task id that begins with a dash is taken behind --, and the routes come from a file', async () => {
  await using queue = await startQueue([scope]);
  await using standIn = await startRelengapiStandIn();
  const folder = await mkdtemp(join(tmpdir(), 'relengapi-proxy-'));
  try {
    const file = join(folder, 'routes.yml');
    await writeFile(file, JSON.stringify(standInConfig(standIn).settings));
    await using service = runService(
      main,
      ['--port', '0', '--admin-port', '0', `--config=${file}`, `--root-url=${queue.url}`, '--', taskId],
      { RELENG_API_TOKEN: standIn.issuingToken },
    );
    await service.stderrHas('Serving on');
    const port = Number(/Serving on .* port (\d+)/.exec(service.stderr())?.[1]);

    const answer = await send(port, '/tooltool/file');

    expect(JSON.parse(answer.text).permissions).toEqual(['tooltool.download.public']);
    service.signal('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(service.stderr()).not.toContain(standIn.issuingToken);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('under the control channel it is configured with scopes by the worker', async () => {
  await using standIn = await startRelengapiStandIn();
  await using service = runService(main, ['--control', 'stdin']);
  service.send({ type: 'configure', config: { ...standInConfig(standIn), port: 0, adminPort: 0 } });

  const reply = await service.reply();

  expect(reply).toMatchObject({ type: 'ready', name: 'relengapi-proxy' });
  const { port } = reply as { port: number };
  expect((await send(port, '/x')).status).toBe(200);
  service.endInput();
  expect(await service.exited).toBe(0);
  expect(service.stderr()).not.toContain(standIn.issuingToken);
});
