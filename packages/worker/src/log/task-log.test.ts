import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, test } from '@jest/globals';
import { TaskLog } from './task-log.ts';

const megabyte = 1024 * 1024;

test('a worker line has the time in UTC with a space for the T, and ends with a line feed', async () => {
  await using log = await openLog();

  log.worker('Task ID: abc');
  await log.close();

  expect(await content(log)).toMatch(
    /^\[taskcluster \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z\] Task ID: abc\n$/,
  );
});

test('a worker line begins a line after output that did not end its own, and adds none after output that did', async () => {
  await using log = await openLog();
  const output = log.output();

  const write = (text: string) => new Promise((resolve) => output.write(text, resolve));

  await write('no line feed');
  log.worker('first');
  await write('a line\r\n');
  log.worker('second');
  await log.close();

  expect(await content(log)).toMatch(
    /^no line feed\n\[taskcluster [^\]]+\] first\na line\r\n\[taskcluster [^\]]+\] second\n$/,
  );
});

test('the time of a worker line is the time at which it was written', async () => {
  await using log = await openLog();
  const before = Date.now();

  log.worker('now');
  const after = Date.now();
  await log.close();

  const [, time = ''] = /^\[taskcluster (\S+ \S+)\]/.exec(await content(log)) ?? [];
  expect(Date.parse(time.replace(' ', 'T'))).toBeGreaterThanOrEqual(before);
  expect(Date.parse(time.replace(' ', 'T'))).toBeLessThanOrEqual(after);
});

test('an error line starts at column 0 even when the line before it did not end', async () => {
  await using log = await openLog();

  log.raw('no line end');
  log.error('it broke');
  await log.close();

  expect(await content(log)).toBe('no line end\n[taskcluster:error] it broke\n');
});

test('what the container prints is kept byte for byte', async () => {
  await using log = await openLog();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

  const output = log.output();
  output.end(bytes);
  await finished(output);
  await log.close();

  expect(await readFile(log.path)).toEqual(bytes);
});

test('lines and output that are written at once are neither mixed nor reordered', async () => {
  await using log = await openLog();
  const output = log.output();

  for (let line = 0; line < 500; line++) {
    if (line % 2 === 0) {
      log.raw(`${line}\n`);
    } else {
      output.write(`${line}\n`);
    }
  }
  output.end();
  await finished(output);
  await log.close();

  // A stream takes one write at a time, so its lines may come later than the others, but whole and in order.
  const lines = (await content(log)).split('\n').slice(0, -1).map(Number);
  expect(lines.filter((line) => line % 2 === 0)).toEqual(
    Array.from({ length: 250 }, (_, index) => 2 * index),
  );
  expect(lines.filter((line) => line % 2 === 1)).toEqual(
    Array.from({ length: 250 }, (_, index) => 2 * index + 1),
  );
});

test('many readers all get every byte, from the first one', async () => {
  await using log = await openLog();
  log.raw('written before anyone reads\n');
  const readers = Array.from({ length: 20 }, () => readAll(log));

  for (let line = 0; line < 200; line++) {
    log.raw(`line ${line}\n`);
  }
  await log.close();

  const whole = await content(log);
  expect(whole).toMatch(/^written before anyone reads\n(line \d+\n){200}$/);
  expect(await Promise.all(readers)).toEqual(readers.map(() => whole));
});

test('a reader gets a line while the log is still open', async () => {
  await using log = await openLog();
  const reader = log.read();
  const next = reader.next();

  log.raw('live');

  expect((await next).value?.toString()).toBe('live');
  await reader.return(undefined);
});

test('a reader that comes after the end gets the whole log', async () => {
  await using log = await openLog();
  log.raw('first\n');
  log.raw('last\n');
  await log.close();

  expect(await readAll(log)).toBe('first\nlast\n');
});

test('an empty log ends its readers without a byte', async () => {
  await using log = await openLog();
  const reading = readAll(log);

  await log.close();

  expect(await reading).toBe('');
});

test('a reader that lags behind does not hold up the log nor other readers', async () => {
  await using log = await openLog();
  log.raw('x'.repeat(200_000));
  const slow = log.read();
  const first = (await slow.next()).value;

  log.raw('end');
  const [fast] = await Promise.all([readAll(log), log.close()]);

  expect(fast).toHaveLength(200_003);
  const rest = await drain(slow);
  expect((first?.length ?? 0) + rest.length).toBe(200_003);
});

test('a reader whose signal aborts while it waits ends without an error', async () => {
  await using log = await openLog();
  const gone = new AbortController();
  const reading = readAll(log, gone.signal);
  log.raw('seen');
  await log.read().next();

  gone.abort();

  expect('seen').toContain(await reading);
});

test('a reader whose signal has aborted is not made to read what is left', async () => {
  await using log = await openLog();
  log.raw('x'.repeat(1_000_000));
  const gone = new AbortController();
  const reader = log.read(gone.signal);
  await reader.next();

  gone.abort();

  expect((await reader.next()).done).toBe(true);
});

test('a reader that has started outlives the log and its folder', async () => {
  const log = await openLog();
  log.raw('y'.repeat(300_000));
  const slow = log.read();
  const first = (await slow.next()).value;

  await log[Symbol.asyncDispose]();

  const rest = await drain(slow);
  expect((first?.length ?? 0) + rest.length).toBe(300_000);
});

test('closing fails when something that was written is not in the file', async () => {
  const log = await openLog();
  await log[Symbol.asyncDispose]();

  log.raw('lost');

  await expect(log.close()).rejects.toThrow("the task's log could not be written: ");
});

test('output that cannot be written is an error of its stream, so that the task is not taken as logged', async () => {
  const log = await openLog();
  await log[Symbol.asyncDispose]();
  const output = log.output();

  output.end('lost');

  await expect(finished(output)).rejects.toThrow();
});

test('readers end although the log could not be written', async () => {
  const log = await openLog();
  log.raw('kept');
  const reader = log.read();
  await reader.next();
  await log[Symbol.asyncDispose]();
  log.raw('lost');

  await log.close().catch(() => {});

  expect((await drain(reader)).toString()).toBe('');
});

test('a log is never opened over another file', async () => {
  await using log = await openLog();

  await expect(TaskLog.open(log.path)).rejects.toThrow('EEXIST');
});

test('only the user of the worker can read the file', async () => {
  await using log = await openLog();

  expect((await stat(log.path)).mode & 0o077).toBe(0);
});

test('64 MiB of output with a reader that stands still take a bounded amount of memory', async () => {
  await using log = await openLog();
  const output = log.output();
  const chunk = Buffer.alloc(64 * 1024, 'z');
  log.raw('start');
  const slow = log.read();
  await slow.next();
  const before = buffered();
  let most = 0;

  for (let written = 0; written < 64 * megabyte; written += chunk.length) {
    if (!output.write(chunk)) {
      await once(output, 'drain');
    }
    most = Math.max(most, buffered() - before);
  }
  output.end();
  await finished(output);
  await log.close();

  expect(most).toBeLessThan(8 * megabyte);
  let read = 'start'.length;
  for await (const part of slow) {
    read += part.length;
  }
  expect(read).toBe(64 * megabyte + 'start'.length);
});

/** A log in a folder of its own that goes with it. */
async function openLog(): Promise<TaskLog> {
  const folder = await mkdtemp(join(tmpdir(), 'task-log-'));
  const log = await TaskLog.open(join(folder, 'task.log'));
  const dispose = log[Symbol.asyncDispose].bind(log);
  log[Symbol.asyncDispose] = async () => {
    await dispose();
    await rm(folder, { recursive: true, force: true });
  };
  return log;
}

function content(log: TaskLog): Promise<string> {
  return readFile(log.path, 'utf8');
}

async function readAll(log: TaskLog, signal?: AbortSignal): Promise<string> {
  return (await drain(log.read(signal))).toString();
}

async function drain(reader: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(reader));
}

/** Bytes of buffers that this process holds outside of the JavaScript heap. */
function buffered(): number {
  return process.memoryUsage().arrayBuffers;
}
