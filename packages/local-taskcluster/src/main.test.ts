import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import packageJson from '../package.json' with { type: 'json' };
import { inMs, taskDefinition, WORKER } from './testing/task.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Starts the CLI; `ended` resolves to what it has said. */
function start(args: string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, ended };
}

/** What a shell would know after evaluating the first three lines. */
async function settingsOf({ child }: ReturnType<typeof start>) {
  const settings: Record<string, string> = {};
  for await (const line of createInterface(child.stdout)) {
    const [, name = '', value = ''] = /^export (\w+)=(.*)$/.exec(line) ?? [];
    settings[name] = value;
    if (Object.keys(settings).length === 3) break;
  }
  const { TASKCLUSTER_ROOT_URL = '', TASKCLUSTER_CLIENT_ID = '', TASKCLUSTER_ACCESS_TOKEN = '' } = settings;
  const credentials = { clientId: TASKCLUSTER_CLIENT_ID, accessToken: TASKCLUSTER_ACCESS_TOKEN };
  return { rootUrl: TASKCLUSTER_ROOT_URL, credentials };
}

test.each(['SIGTERM', 'SIGINT'] as const)('prints what clients need and runs until %s', async (signal) => {
  const cli = start(['--port', '0']);
  const scopes = await new taskcluster.Auth(await settingsOf(cli)).currentScopes();
  cli.child.kill(signal);
  const { code, stderr } = await cli.ended;

  expect(scopes).toEqual({ scopes: ['*'] });
  expect([code, stderr]).toEqual([0, '']);
});

test('with --page there is one, whose address is told to people', async () => {
  const cli = start(['--port', '0', '--page']);
  const [line] = await once(createInterface(cli.child.stderr), 'line');
  const [, url = ''] = /^local-taskcluster: page: (http:\S+)$/.exec(line) ?? [];

  expect(await (await fetch(url)).text()).toContain('There are none yet.');
  cli.child.kill('SIGTERM');
  expect((await cli.ended).code).toBe(0);
});

test('goes on when nobody reads what it says, and ends when it is told', async () => {
  const cli = start(['--port', '0']);
  const { rootUrl } = await settingsOf(cli);
  cli.child.stdout.destroy();
  cli.child.stderr.destroy();
  const broken = await fetch(`${rootUrl}/api/queue/v1/task/x`, { method: 'PUT', body: 'no JSON' });
  const answer = await fetch(`${rootUrl}/api/queue/v1/ping`);
  cli.child.kill('SIGTERM');

  expect([broken.status, answer.status]).toEqual([400, 200]);
  expect((await once(cli.child, 'exit'))[0]).toBe(0);
});

test('without a data directory nothing is left on the disk', async () => {
  const TMPDIR = await mkdtemp(join(tmpdir(), 'local-taskcluster-test-'));
  const cli = start([], { ...process.env, TMPDIR });
  const queue = new taskcluster.Queue(await settingsOf(cli));
  const taskId = taskcluster.slugid();
  await queue.createTask(taskId, taskDefinition());
  await queue.claimTask(taskId, 0, WORKER);
  const artifact = { storageType: 's3', contentType: 'text/plain', expires: inMs(60_000) };
  const { putUrl } = await queue.createArtifact(taskId, 0, 'public/log', artifact);
  await fetch(putUrl, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } });
  const during = await readdir(TMPDIR);

  cli.child.kill('SIGTERM');
  await cli.ended;

  expect(during).toHaveLength(1);
  expect(await readdir(TMPDIR)).toEqual([]);
  await rm(TMPDIR, { recursive: true });
});

test('a flag that cannot be used ends it with one message', async () => {
  const { code, stdout, stderr } = await start(['--port', 'abc']).ended;

  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: 'local-taskcluster: --port: expected a number\nTry --help.\n',
  });
});

test('an address that is taken ends it with one message', async () => {
  const first = start([]);
  const { port } = new URL((await settingsOf(first)).rootUrl);

  const { code, stderr } = await start(['--port', port]).ended;
  first.child.kill('SIGTERM');
  await first.ended;

  expect(code).toBe(1);
  expect(stderr).toMatch(/^local-taskcluster: .*EADDRINUSE.*\n$/);
});

test('--help names every flag, and --version the version', async () => {
  const [help, version] = await Promise.all([start(['--help']).ended, start(['--version']).ended]);

  for (const flag of ['port', 'host', 'data', 'root-url', 'claim-seconds', 'long-poll-seconds']) {
    expect(help.stdout).toContain(`--${flag}`);
  }
  expect(version.stdout).toBe(`${packageJson.version}\n`);
  expect([help.code, version.code]).toEqual([0, 0]);
});
