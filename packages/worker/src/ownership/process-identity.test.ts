import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { isAlive, ownProcess } from './process-identity.ts';

test('this process is alive', () => {
  expect(isAlive(ownProcess)).toBe(true);
});

test('the identity names boot, pid namespace, pid and start time', () => {
  expect(ownProcess).toMatch(new RegExp(`^[0-9a-f-]{36}:\\d+:${process.pid}:\\d+$`));
});

test('another process that runs is alive', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  try {
    expect(isAlive(identityOf(child.pid))).toBe(true);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

test('a process that has ended is not alive', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const identity = identityOf(child.pid);
  child.kill();
  await once(child, 'exit');

  expect(isAlive(identity)).toBe(false);
});

test('a process that was given the id of another one is not that other one', () => {
  const [boot, namespace, pid, startTime] = ownProcess.split(':');

  expect(isAlive([boot, namespace, pid, Number(startTime) - 1].join(':'))).toBe(false);
});

test('a process of an earlier boot is not alive', () => {
  const [, ...rest] = ownProcess.split(':');

  expect(isAlive(['00000000-0000-0000-0000-000000000000', ...rest].join(':'))).toBe(false);
});

test('a process of another pid namespace counts as gone', () => {
  const [boot, , ...rest] = ownProcess.split(':');

  expect(isAlive([boot, '1', ...rest].join(':'))).toBe(false);
});

test.each(['', 'text', ':::', 'a:b:-1:c', 'a:b:../self:c'])('%j names no process', (identity) => {
  expect(isAlive(identity)).toBe(false);
});

// A killed worker stays in the process table until its parent, as in a container without an init, asks for it.
test('a process that was killed and that nobody has waited for is not alive', async () => {
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; read line" <&3 & exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  try {
    const [line] = await once(createInterface({ input: parent.stdout as NodeJS.ReadableStream }), 'line');
    const identity = identityOf(Number(line));
    process.kill(Number(line), 'SIGKILL');
    await untilZombie(Number(line));

    expect(isAlive(identity)).toBe(false);
  } finally {
    parent.kill();
    await once(parent, 'exit');
  }
});

/** A process's state has no event; a kill takes effect within microseconds. */
async function untilZombie(pid: number): Promise<void> {
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The identity of a process of this boot and namespace. */
function identityOf(pid: number | undefined): string {
  const [boot, namespace] = ownProcess.split(':');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return [boot, namespace, pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]].join(':');
}
