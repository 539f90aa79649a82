import { chmod, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connectEngine } from './engine.ts';
import { engineSocket } from './testing/engine-socket.ts';

const kept = ['DOCKER_HOST', 'HOME', 'PATH'] as const;
const environment = Object.fromEntries(kept.map((name) => [name, process.env[name]]));
let home: Awaited<ReturnType<typeof mkdtempDisposable>>;

beforeEach(async () => {
  home = await mkdtempDisposable(join(tmpdir(), 'ssh-'));
  process.env.DOCKER_HOST = 'ssh://somebody@127.0.0.1:2222';
  process.env.HOME = home.path;
  process.env.PATH = `${home.path}:${environment.PATH}`;
});

afterEach(async () => {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await home.remove();
});

/** Takes the place of the `ssh` program. */
async function sshIs(script: string): Promise<void> {
  const program = join(home.path, 'ssh');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
}

/** An engine to which it leads, and which notes how it was called. */
async function sshLeads(): Promise<AsyncDisposable & { calls(): Promise<string[]> }> {
  const { socketPath, ...socket } = await engineSocket((request, response) => {
    if (request.url?.startsWith('/events')) {
      response.writeHead(200).flushHeaders();
    } else {
      response.end('OK');
    }
  });
  const relay = `const to = require('net').connect('${socketPath}'); process.stdin.pipe(to).pipe(process.stdout)`;
  await sshIs(`echo $$ "$@" >>"$HOME/calls"\nexec '${process.execPath}' -e "${relay}"`);
  return {
    ...socket,
    calls: async () => (await readFile(join(home.path, 'calls'), 'utf8')).trim().split('\n'),
  };
}

test('an engine elsewhere is reached by the ssh program, with what this user has told it', async () => {
  await using ssh = await sshLeads();

  await using engine = await connectEngine();
  expect(String(await engine.docker.ping())).toBe('OK');

  const calls = (await ssh.calls()).map((call) => call.replace(/^\d+ /, ''));
  expect(new Set(calls).size).toBe(1);
  expect(calls[0]).toMatch(/-l somebody -p 2222 -T -- 127\.0\.0\.1 docker system dial-stdio$/);
});

test('what the ssh program complains of is told', async () => {
  await sshIs('echo "Host key verification failed." >&2; exit 255');

  await expect(connectEngine()).rejects.toThrow(
    'No Docker Engine answers at ssh://somebody@127.0.0.1:2222 (Host key verification failed.)',
  );
});

test('a machine without an ssh program is told so', async () => {
  process.env.PATH = home.path;

  await expect(connectEngine()).rejects.toThrow('the ssh program cannot be run: spawn ssh ENOENT');
});

test('the loss of its connections is the loss of the engine', async () => {
  await using ssh = await sshLeads();
  await using engine = await connectEngine();
  const lost = new Promise((resolve) => engine.lost.addEventListener('abort', resolve));

  for (const call of await ssh.calls()) {
    try {
      process.kill(Number.parseInt(call, 10));
    } catch {
      // It has ended with its request.
    }
  }

  await lost;
});
