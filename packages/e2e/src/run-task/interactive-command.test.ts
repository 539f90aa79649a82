import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Command, type CommandOptions, dockerWorker } from '../harness/command.ts';
import { EngineEvents } from '../harness/host/engine-events.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

/** A folder with a task file, and what starts commands whose state is kept in it. */
async function openFolder(command: string, payload: object = {}) {
  const folder = await makeTempDir();
  const file = join(folder.path, 'task.json');
  const image = 'docker-worker/example-task';
  await writeFile(
    file,
    JSON.stringify({ image, maxRunTime: 600, command: ['bash', '-c', command], ...payload }),
  );
  return {
    runTask: (options: string[], more: CommandOptions = {}) =>
      new Command(['run-task', file, ...options], { env: { XDG_STATE_HOME: folder.path }, ...more }),
    shared: () => readdir(join(folder.path, 'docker-worker', 'shared')),
    file,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('--shell opens a shell in this terminal: its size, its keys, its exit code, and then the task’s log', async () => {
  await using folder = await openFolder('echo said by the task > /said; exit 3');
  await using command = folder.runTask(['--shell'], { terminal: { rows: 33, columns: 101 } });
  await command.printed(/root@\w+:\/# /);
  command.say('stty size; cat /said\r');
  await command.printed(/33 101\r+\nsaid by the task/);
  // Keys that would end or stop the command itself.
  command.say("bash -c 'echo run-$((1+1)); exec cat'\r");
  await command.printed(/run-2/);
  command.say('ping\r');
  await command.printed(/ping\r+\nping\r+\n/);
  command.say('\u0003');
  await command.printed(/\^C/);
  command.say('echo sum-$((20+22))\r');
  await command.printed(/sum-42/);
  command.say('exit 7\r');

  expect(await command.exited).toBe(7);
  expect(command.stdout).toMatch(/exit 7.*interactive: to log into this task.*task run with exit code: 3/s);
  expect(await folder.shared()).toEqual([]);
});

test('--shell in something that is no terminal says what to do', async () => {
  await using folder = await openFolder('true');
  await using command = folder.runTask(['--shell']);

  expect(await command.exited).toBe(125);
  expect(command.stderr).toBe('--shell needs a terminal: run it in one, or use --interactive for a page\n');
});

test('--interactive prints the address of the page', async () => {
  await using folder = await openFolder('echo up; sleep 600');
  await using command = folder.runTask(['--interactive']);
  const [, page = ''] = await command.printed(/task: log in at (http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/)\n/);
  const answer = await fetch(page);

  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('<title>Task shell</title>');
  command.kill('SIGINT');
  expect(await command.exited).toBe(130);
  await expect(fetch(page)).rejects.toThrow();
});

test('--dry-run shows the service beside the task', async () => {
  await using folder = await openFolder('true');
  const { stdout, code } = await dockerWorker('run-task', folder.file, '--interactive', '--dry-run');

  expect(code).toBe(0);
  expect(stdout).toMatch(/sidecar {4}exec-ws-server, image docker-worker\/exec-ws-server:/);
});

test('of a killed worker neither the server nor its sockets are left once the next one has started', async () => {
  await using folder = await openFolder('echo "task $TASK_ID/$RUN_ID is under way"; sleep 600');
  await using events = await EngineEvents.open();
  await using killed = folder.runTask(['--interactive']);
  const [, taskRun = ''] = await killed.printed(/task (\S+) is under way/);
  const [, page = ''] = await killed.printed(/log in at (\S+)/);
  const containers = await runContainers(taskRun);
  expect([...containers.keys()].sort()).toEqual(['sidecar:exec-ws-server', 'task']);
  const left = (await folder.shared()).length;
  expect(left).toBeGreaterThan(0);
  killed.kill('SIGKILL');
  await events.happened('destroy', containers.get('sidecar:exec-ws-server')?.Id ?? '');
  await expect(fetch(page)).rejects.toThrow();

  await using next = folder.runTask([]);
  await next.printed(/is under way/);
  expect((await runContainers(taskRun)).size).toBe(0);
  expect(await folder.shared()).toEqual([]);
  next.kill('SIGINT');
  expect(await next.exited).toBe(130);
});
