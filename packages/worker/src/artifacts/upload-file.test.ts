import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { queueClient } from '../queue/queue.ts';
import { type ClaimedRun, claimRun } from './testing/claimed-run.ts';
import { type FileUpload, UploadError, uploadFile } from './upload-file.ts';

let run: ClaimedRun;

beforeEach(async () => {
  run = await claimRun();
});

afterEach(async () => {
  await run[Symbol.asyncDispose]();
});

function upload(source: string | Buffer, options: Partial<FileUpload> = {}) {
  return uploadFile({
    ...run.destination,
    name: 'public/a.log',
    contentType: 'text/plain; charset=utf-8',
    expires: run.destination.taskExpires,
    source,
    ...options,
  });
}

function contentOf(bytes: Buffer) {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
}

describe('sources', () => {
  const small = Buffer.from('a line\n');
  const large = Buffer.alloc(700_000, 'a longer line of text\n');

  test.each([
    ['bytes as they are', small, 'bytes', false],
    ['bytes compressed', small, 'bytes', true],
    ['no bytes', Buffer.alloc(0), 'bytes', false],
    ['a small file as it is', small, 'file', false],
    ['a small file compressed', small, 'file', true],
    ['a large file as it is', large, 'file', false],
    ['a large file compressed', large, 'file', true],
  ] as const)('%s', async (_, bytes, kind, gzip) => {
    const path = join(run.destination.tempDir, 'a.log');
    await writeFile(path, bytes);

    const content = await upload(kind === 'file' ? path : bytes, { gzip });

    expect(content).toEqual(contentOf(bytes));
    const stored = await run.download('public/a.log');
    expect(stored.contentType).toBe('text/plain; charset=utf-8');
    expect(stored.contentEncoding).toBe(gzip ? 'gzip' : undefined);
    expect((gzip ? gunzipSync(stored.bytes) : stored.bytes).equals(bytes)).toBe(true);
    expect(await run.leftovers()).toEqual(['a.log']);
  });

  test('a file that is not there rejects', async () => {
    await expect(upload(join(run.destination.tempDir, 'none'))).rejects.toThrow('ENOENT');
  });
});

describe('attempts', () => {
  test.each([500, 503, 429, 408, 'reset'] as const)('%s is tried again, with all bytes', async (fault) => {
    run.faults.push(fault);
    const path = join(run.destination.tempDir, 'a.log');
    await writeFile(path, Buffer.alloc(700_000, 'x'));

    const retried: string[] = [];
    await upload(path, { onRetry: (name) => retried.push(name) });

    expect(run.puts.count).toBe(2);
    expect(retried).toEqual(['public/a.log']);
    expect((await run.download('public/a.log')).bytes.length).toBe(700_000);
  });

  test.each([201, 204, 302, 400, 403, 411])('status %s is a failure for good', async (status) => {
    run.faults.push(status);

    await expect(upload(Buffer.from('x'))).rejects.toThrow(
      /^Artifact "public\/a\.log" could not be uploaded: the storage answered \d{3}( \(MadeUp\))? instead of 200$/,
    );

    expect(run.puts.count).toBe(1);
  });

  test('the last failure is thrown when the attempts are used up', async () => {
    run.faults.push(503, 502, 500);

    const error = await upload(Buffer.from('x')).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(UploadError);
    expect(error).toMatchObject({ artifact: 'public/a.log', outage: true });
    expect(error.message).toContain('answered 500');
  });

  test('a network error names its cause and not the signed address', async () => {
    run.faults.push('reset', 'reset', 'reset');

    const error: Error = await upload(Buffer.from('x')).catch((thrown) => thrown);

    // A reset shows in several ways, by how far the upload has come.
    expect(error.message).toMatch(/^Artifact "public\/a\.log" could not be uploaded: \S/);
    expect(error.message).not.toContain('/blobs/');
    expect(JSON.stringify(error)).not.toContain('/blobs/');
  });

  test('a refusal of the queue is passed on without the request', async () => {
    const error: Error = await upload(Buffer.from('x'), { taskId: 'NoSuchTaskNoSuchTaskQQ' }).catch(
      (thrown) => thrown,
    );

    expect(error.message).toMatch(/^Artifact "public\/a\.log" could not be uploaded: \S.*$/);
    expect(run.puts.count).toBe(0);
  });

  test('the same artifact can be uploaded again', async () => {
    await upload(Buffer.from('x'));
    await upload(Buffer.from('y'));

    expect((await run.download('public/a.log')).bytes.toString()).toBe('y');
  });

  test('an abort ends an upload that hangs', async () => {
    run.faults.push('hang');
    run.puts.onNext = () => run.abort(new Error('too late'));

    await expect(upload(Buffer.from('x'))).rejects.toThrow('too late');
  });

  test('an abort ends the pause before the next attempt', async () => {
    run.faults.push(503);
    const limits = { maxAttempts: 2, delayFactor: 600_000, longestDelay: 600_000 };

    const uploading = upload(Buffer.from('x'), { limits });
    run.puts.onNext = () => setImmediate(() => run.abort(new Error('too late')));

    await expect(uploading).rejects.toThrow('too late');
  });
});

test('an answer of the queue that is not understood is told as such', async () => {
  await using server = await startServer((_, response) => {
    response.setHeader('content-type', 'application/json').end('{"storageType":"s3"}');
  });
  const queue = () => queueClient(server.url, { clientId: 'a', accessToken: 'b' });

  await expect(upload(Buffer.from('x'), { queue })).rejects.toThrow(
    /answer to createArtifact was not understood: (.|\n)*putUrl/,
  );
});

test('another storage can take the bytes', async () => {
  const stored: unknown[] = [];

  await upload(Buffer.from('x'), {
    storage: {
      keepsEncoding: true,
      async store(_run, { name }, content) {
        stored.push([name, content.open()]);
      },
    },
  });

  expect(stored).toEqual([['public/a.log', Buffer.from('x')]]);
  expect(await run.list()).toEqual([]);
});
