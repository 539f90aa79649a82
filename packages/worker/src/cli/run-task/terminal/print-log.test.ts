import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { TaskLog } from '../../../log/task-log.ts';
import { printLog } from './print-log.ts';

test('without a prefix every byte is printed as it is', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

  expect(await printed([bytes])).toEqual(bytes);
});

test('every line gets the prefix, the empty ones too', async () => {
  expect(await text(['one\n\ntwo\n'])).toBe('[a] one\n[a] \n[a] two\n');
});

test('a line that arrives in pieces gets the prefix once', async () => {
  expect(await text(['on', 'e', '\n', 'two\nthr', 'ee\n'])).toBe('[a] one\n[a] two\n[a] three\n');
});

test('a line feed at the start of a piece ends the line before it', async () => {
  expect(await text(['one', '\ntwo', '\n\n'])).toBe('[a] one\n[a] two\n[a] \n');
});

test('the last line may be without a line feed', async () => {
  expect(await text(['one\ntwo'])).toBe('[a] one\n[a] two');
});

test('an empty log prints nothing, not even a prefix', async () => {
  expect(await text([])).toBe('');
});

test('carriage returns stay, so that progress bars work', async () => {
  expect(await text(['10%\r20%\r\n'])).toBe('[a] 10%\r20%\r\n');
});

test('characters of several bytes stay whole inside a piece', async () => {
  expect(await text(['Grüße, 世界 🚀\n'])).toBe('[a] Grüße, 世界 🚀\n');
});

// The pieces are the log's, which ends them after 64 KiB wherever that is.
test.each(['ü', '世', '🚀'])('%s stays whole when it is split between two pieces', async (character) => {
  const bytes = Buffer.from(character);

  const output = await printed([bytes.subarray(0, 1), bytes.subarray(1), Buffer.from('\n')], '[a] ');

  expect(output.toString()).toBe(`[a] ${character}\n`);
});

test('bytes that are no UTF-8 stay as they are', async () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x0a]);

  expect(await printed([bytes], '[a] ')).toEqual(Buffer.concat([Buffer.from('[a] '), bytes]));
});

test('the prefix, which a person chose, may have any characters', async () => {
  expect(await text(['one\n'], '[größe 世] ')).toBe('[größe 世] one\n');
});

test('a destination that is full is waited for', async () => {
  await using log = await openLog();
  const destination = new PassThrough({ highWaterMark: 1024 });
  log.raw('x'.repeat(300_000));
  const printing = printLog(log, destination);
  await once(destination, 'readable');
  expect(destination.readableLength).toBeLessThan(200_000);

  await log.close();
  destination.resume();

  await printing;
});

async function text(pieces: string[], prefix = '[a] '): Promise<string> {
  return (
    await printed(
      pieces.map((piece) => Buffer.from(piece)),
      prefix,
    )
  ).toString();
}

/** What is printed of a log whose pieces are read one by one. */
async function printed(pieces: Buffer[], prefix?: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  async function* read(): AsyncGenerator<Buffer> {
    yield* pieces;
  }
  await printLog({ read }, destination, prefix);
  return Buffer.concat(chunks);
}

async function openLog(): Promise<TaskLog> {
  const folder = await mkdtemp(join(tmpdir(), 'print-log-'));
  const log = await TaskLog.open(join(folder, 'task.log'));
  const dispose = log[Symbol.asyncDispose].bind(log);
  log[Symbol.asyncDispose] = async () => {
    await dispose();
    await rm(folder, { recursive: true });
  };
  return log;
}
