import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import manifest from '../../package.json' with { type: 'json' };

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const commands = ['run-task', 'start', 'check', 'sweep', 'schema'];

test('--help names every command, each with a sentence', async () => {
  const { stdout, code } = await run('--help');

  expect(code).toBe(0);
  for (const command of commands) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b.* {2,}[A-Z]`, 'm'));
  }
});

test.each(commands)('%s --help describes each of its options', async (command) => {
  const { stdout, code } = await run(command, '--help');

  expect(code).toBe(0);
  const options = stdout.split('\n').filter((line) => /^ {2}-/.test(line));
  expect(options.length).toBeGreaterThan(0);
  for (const option of options) {
    expect(option).toMatch(/^ {2}-\S.*? {2,}\S/);
  }
});

test('--config tells the variable that can stand for it', async () => {
  expect((await run('start', '--help')).stdout).toContain('DOCKER_WORKER_CONFIG');
});

test('--version is the one of the package', async () => {
  expect(await run('--version')).toMatchObject({ stdout: `${manifest.version}\n`, code: 0 });
});

test('without a command the help goes to standard error, and the command line fails', async () => {
  const { stdout, stderr, code } = await run();

  expect(stdout).toBe('');
  expect(stderr).toContain('Usage: docker-worker');
  expect(code).toBe(125);
});

test('a misspelt command fails with 125 and the one that was probably meant', async () => {
  const { stdout, stderr, code } = await run('strat');

  expect(stdout).toBe('');
  expect(stderr).toContain('(Did you mean start?)');
  expect(code).toBe(125);
});

test('an unknown option fails with 125 and a hint', async () => {
  const { stderr, code } = await run('run-task', '--artifact', 'x', 'task.yml');

  expect(stderr).toContain('(Did you mean --artifacts?)');
  expect(code).toBe(125);
});

test('a log level that does not exist fails with those that do', async () => {
  const { stderr, code } = await run('start', '--config', 'x', '--log-level', 'loud');

  expect(stderr).toContain('debug, info, warn, error, silent');
  expect(code).toBe(125);
});

test('a worker without a configuration fails with the option that names one', async () => {
  const { stderr, code } = await run('start');

  expect(stderr).toContain('--config');
  expect(code).toBe(125);
});

test('a configuration that is not there is a message without a stack trace', async () => {
  const { stdout, stderr, code } = await run('start', '--config', join(tmpdir(), 'there-is-none.yml'));

  expect(stdout).toBe('');
  expect(stderr).toContain('there-is-none.yml cannot be used:');
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(125);
});

test('a task file that is not there is a message without a stack trace', async () => {
  const { stdout, stderr, code } = await run('run-task', join(tmpdir(), 'there-is-none.yml'));

  expect(stdout).toBe('');
  expect(stderr).toContain('there-is-none.yml');
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(125);
});

test('an engine that is not there is a message with what to do', async () => {
  const { stderr, code } = await run('sweep');

  expect(stderr).toContain(
    'No Docker Engine answers at unix:///nonexistent/docker.sock (ENOENT): start it ("systemctl start docker"',
  );
  expect(code).toBe(125);
});

test('an unknown schema fails with those that there are', async () => {
  const { stdout, stderr, code } = await run('schema', 'task');

  expect(stdout).toBe('');
  expect(stderr).toBe('There is no schema "task": ask for "payload" or "config".\n');
  expect(code).toBe(125);
});

test('a schema with the name of something that every object has is unknown as well', async () => {
  expect((await run('schema', 'constructor')).code).toBe(125);
});

interface Ended {
  stdout: string;
  stderr: string;
  code: number | string | null;
}

/** Runs the program as a person does, on a machine without a Docker Engine. */
function run(...args: string[]): Promise<Ended> {
  const env = { PATH: process.env.PATH, DOCKER_HOST: 'unix:///nonexistent/docker.sock', NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, code: error === null ? 0 : (error.code ?? null) });
    });
  });
}
