import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type ClaimedRun, claimRun } from '../../../artifacts/testing/claimed-run.ts';
import { uploadFile } from '../../../artifacts/upload-file.ts';
import { downloadArtifacts } from './download-artifacts.ts';

test('artifacts are saved under their names, and their files are told', async () => {
  await using session = await openSession();
  await session.upload('public/a.txt', 'a');
  await session.upload('public/deep/down/b.txt', 'b');

  const files = await session.download();

  expect(files.sort()).toEqual([session.at('public/a.txt'), session.at('public/deep/down/b.txt')]);
  expect(await readFile(session.at('public/a.txt'), 'utf8')).toBe('a');
  expect(await readFile(session.at('public/deep/down/b.txt'), 'utf8')).toBe('b');
});

test('what is stored compressed is saved as the task wrote it', async () => {
  await using session = await openSession();
  await session.upload('public/a.txt', 'plain', true);

  await session.download();

  expect(await readFile(session.at('public/a.txt'), 'utf8')).toBe('plain');
});

test('a run without artifacts saves nothing', async () => {
  await using session = await openSession();

  expect(await session.download()).toEqual([]);
});

test('links and errors, which have no content, are left out', async () => {
  await using session = await openSession();
  await session.upload('public/a.txt', 'a');
  await session.create('public/link.txt', { storageType: 'link', artifact: 'public/a.txt' });
  await session.create('public/missing.txt', {
    storageType: 'error',
    reason: 'file-missing-on-worker',
    message: 'missing',
  });

  expect(await session.download()).toEqual([session.at('public/a.txt')]);
});

test('what cannot be saved is told, each with its reason, and the rest is saved', async () => {
  await using session = await openSession();
  await session.upload('public/a', 'a file');
  await session.upload('public/a/b.txt', 'b');
  await session.upload('public/../../out.txt', 'out');
  await session.upload('public/zzz.txt', 'z');

  const failed = session.download();

  await expect(failed).rejects.toThrow(/^2 artifacts were saved in /);
  await expect(failed).rejects.toThrow(/out\.txt" would be saved outside of /);
  await expect(failed).rejects.toThrow(
    /"public.*" could not be saved as .*: a file and a folder would have the same name\./,
  );
  expect(await readFile(session.at('public/zzz.txt'), 'utf8')).toBe('z');
});

test('a file of an earlier run is replaced', async () => {
  await using session = await openSession();
  await mkdir(session.at('public'), { recursive: true });
  await writeFile(session.at('public/a.txt'), 'old and longer');
  await session.upload('public/a.txt', 'new');

  await session.download();

  expect(await readFile(session.at('public/a.txt'), 'utf8')).toBe('new');
});

test.each(['../out.txt', 'public/../../out.txt', '/tmp/docker-worker-out.txt'])(
  'the artifact %s, which would be saved outside of the folder, is refused',
  async (name) => {
    await using session = await openSession();
    await session.upload(name, 'out');

    await expect(session.download()).rejects.toThrow(
      `The artifact "${name}" would be saved outside of ${session.folder}.`,
    );

    expect(await readdir(session.parent)).toEqual([]);
  },
);

test('a name that only looks as if it left the folder is saved', async () => {
  await using session = await openSession();
  await session.upload('public/..a/b..txt', 'in');

  expect(await session.download()).toEqual([session.at('public/..a/b..txt')]);
});

test('a folder next to it whose name starts the same is outside', async () => {
  await using session = await openSession();
  await session.upload('../artifacts-other/a.txt', 'out');

  await expect(session.download()).rejects.toThrow('outside');
});

test('content that cannot be fetched is told by its artifact', async () => {
  await using session = await openSession();
  await session.upload('private/a.txt', 'a');

  await expect(session.download()).rejects.toThrow(
    /The artifact "private\/a\.txt" could not be fetched: HTTP status 403, InsufficientScopes: .*queue:get-artifact/s,
  );
});

test('what the storage says about content that it does not have is told', async () => {
  await using session = await openSession();
  await session.create('public/a.txt', { storageType: 's3', contentType: 'text/plain' });

  await expect(session.download()).rejects.toThrow(
    'The artifact "public/a.txt" could not be fetched: HTTP status 404, Nothing has been uploaded here.',
  );
});

async function openSession() {
  await using stack = new AsyncDisposableStack();
  const run: ClaimedRun = stack.use(await claimRun());
  const parent = await mkdtemp(join(tmpdir(), 'download-'));
  stack.defer(() => rm(parent, { recursive: true }));
  const folder = join(parent, 'artifacts');
  const { queue, taskId, runId, taskExpires: expires } = run.destination;
  const owned = stack.move();
  return {
    ...{ parent, folder },
    at: (name: string) => join(folder, name),
    download: () => downloadArtifacts(queue(), taskId, runId, folder),
    upload: (name: string, content: string, gzip = false) =>
      uploadFile({
        ...{ queue, taskId, runId, name, expires, gzip },
        contentType: 'text/plain',
        source: Buffer.from(content),
      }),
    create: (name: string, properties: object) =>
      queue().createArtifact(taskId, runId, name, { expires, ...properties }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
