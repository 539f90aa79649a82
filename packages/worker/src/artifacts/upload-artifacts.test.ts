import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ClaimedRun, claimRun } from './testing/claimed-run.ts';
import { directoryTar, type Files, filesContainer } from './testing/files-container.ts';
import { uploadArtifacts } from './upload-artifacts.ts';

let run: ClaimedRun;

beforeEach(async () => {
  run = await claimRun();
});

afterEach(async () => {
  const leftovers = await run.leftovers();
  await run[Symbol.asyncDispose]();
  expect(leftovers).toEqual([]);
});

function file(path: string, expires?: string) {
  return { type: 'file' as const, path, ...(expires === undefined ? {} : { expires }) };
}

function directory(path: string) {
  return { type: 'directory' as const, path };
}

async function names(): Promise<string[]> {
  return (await run.list()).map(({ name }) => name).sort();
}

describe('files', () => {
  test('a text file is stored compressed, the same bytes every time', async () => {
    const container = filesContainer({ '/a.txt': 'hello\n' });

    await uploadArtifacts(container, { 'public/a.txt': file('/a.txt') }, run.destination);

    const { bytes, ...rest } = await run.download('public/a.txt');
    expect(rest).toEqual({ status: 200, contentType: 'text/plain', contentEncoding: 'gzip' });
    expect(gunzipSync(bytes).toString()).toBe('hello\n');
    // Deflate, no flags, no time, made on Unix.
    expect([...bytes.subarray(0, 8), bytes[9]]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 3]);
  });

  test('a name that ends like a compressed format is stored as it is', async () => {
    const container = filesContainer({ '/a.dmg': 'hello', '/b': 'world' });

    await uploadArtifacts(container, { 'a.dmg': file('/a.dmg'), 'b.lz4': file('/b') }, run.destination);

    expect(await run.download('a.dmg')).toMatchObject({
      contentEncoding: undefined,
      bytes: Buffer.from('hello'),
    });
    expect(await run.download('b.lz4')).toMatchObject({
      contentEncoding: undefined,
      bytes: Buffer.from('world'),
    });
  });

  test.each([
    ['a.html', 'text/html'],
    ['a.tar.gz', 'application/gzip'],
    ['README', 'application/octet-stream'],
    ['a.unheard-of', 'application/octet-stream'],
  ])('%s is %s', async (name, contentType) => {
    await uploadArtifacts(filesContainer({ '/a': 'x' }), { [name]: file('/a') }, run.destination);

    expect(await run.list()).toMatchObject([{ name, storageType: 's3', contentType }]);
  });

  test('an artifact expires when it says so, else with its task', async () => {
    const container = filesContainer({ '/a': '', '/b': '' });
    const soon = new Date(Date.now() + 3_600_000).toJSON();
    const written = soon.replace('T', ' ').replace('Z', '+00:00');

    await uploadArtifacts(container, { a: file('/a', written), b: file('/b') }, run.destination);

    expect((await run.list()).map(({ expires }) => expires)).toEqual([soon, run.destination.taskExpires]);
  });

  test('hash and size of each file are handed over, of the bytes before compression', async () => {
    const uploaded: unknown[] = [];
    const onUploaded = (name: string, content: unknown) => uploaded.push([name, content]);

    await uploadArtifacts(
      filesContainer({ '/a': 'hello' }),
      { 'a.txt': file('/a') },
      { ...run.destination, onUploaded },
    );

    const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect(uploaded).toEqual([['a.txt', { sha256, size: 5 }]]);
  });

  test('credentials are asked for at each upload', async () => {
    const container = filesContainer({ '/a': '', '/b': '' });

    await uploadArtifacts(container, { a: file('/a'), b: file('/b') }, run.destination);

    expect(run.clients.count).toBe(2);
  });
});

describe('what is not there', () => {
  test('a missing path is noted, and fails nothing', async () => {
    const container = filesContainer({ '/b': 'x' });

    await uploadArtifacts(container, { 'public/a': file('/none'), b: file('/b') }, run.destination);

    expect(run.workerLines).toEqual([
      'Artifact "public/a" not found at "/none": Could not find the file /none in container 0a1b2c',
    ]);
    expect(run.errorLines).toEqual([]);
    expect(await run.list()).toMatchObject([
      { name: 'b', storageType: 's3' },
      { name: 'public/a', storageType: 'error' },
    ]);
    expect((await run.download('public/a')).status).toBe(424);
  });

  test('a symbolic link is what it leads to within the container', async () => {
    const container = filesContainer({
      '/a': { symlink: 'b' },
      '/b': { symlink: '../usr/c' },
      '/usr/c': 'content',
      '/folder': { symlink: '/real' },
      '/real': { 'x.jpg': 'x' },
    });

    await uploadArtifacts(
      container,
      { 'public/a.jpg': { type: 'file', path: '/a' }, dir: { type: 'directory', path: '/folder' } },
      run.destination,
    );

    expect((await run.download('public/a.jpg')).bytes.toString()).toBe('content');
    expect((await run.download('dir/x.jpg')).bytes.toString()).toBe('x');
  });

  test.each([
    ['to nothing', 'nowhere', 'Could not find the file /nowhere in container 0a1b2c'],
    ['in a circle', 'a', 'its symbolic links lead in a circle'],
  ])('a symbolic link that leads %s is a missing artifact', async (_, symlink, reason) => {
    const container = filesContainer({ '/a': { symlink } });

    await uploadArtifacts(container, { 'public/a': { type: 'file', path: '/a' } }, run.destination);

    expect(run.workerLines).toEqual([`Artifact "public/a" not found at "/a": ${reason}`]);
    expect(await run.list()).toMatchObject([{ name: 'public/a', storageType: 'error' }]);
  });

  test.each([
    ['file', { 'a.txt': 'x' }, 'directory'],
    ['directory', 'text', 'file'],
    ['volume', { 'a.txt': 'x' }, 'directory'],
  ] as const)(
    'a %s that is something else is an error line, and fails nothing',
    async (type, content, actual) => {
      const container = filesContainer({ '/a': content });

      await uploadArtifacts(container, { 'public/a': { type, path: '/a' } }, run.destination);

      expect(run.errorLines).toEqual([
        `Error uploading "public/a". Expected artifact to be a "${type}" but was "${actual}"`,
      ]);
      expect(await run.list()).toMatchObject([{ name: 'public/a', storageType: 'error' }]);
    },
  );
});

describe('directories', () => {
  test('every file below is an artifact of its own', async () => {
    const big = Buffer.alloc(1_000_000, 'a line of text\n');
    const container = filesContainer({
      '/build/out': {
        'test.html': '<p>',
        'wow/': { type: 'directory' },
        'wow/bar.txt': big,
        'wow/empty.jpg': '',
      },
    });

    await uploadArtifacts(container, { 'public/dir': directory('/build/out') }, run.destination);

    expect(await names()).toEqual([
      'public/dir/test.html',
      'public/dir/wow/bar.txt',
      'public/dir/wow/empty.jpg',
    ]);
    expect(gunzipSync((await run.download('public/dir/wow/bar.txt')).bytes).equals(big)).toBe(true);
    expect((await run.download('public/dir/wow/empty.jpg')).bytes.length).toBe(0);
    expect(run.workerLines).toEqual([]);
  });

  test('a slash at the end of the artifact name is not doubled', async () => {
    await uploadArtifacts(
      filesContainer({ '/out': { a: 'x' } }),
      { 'public/dir/': directory('/out') },
      run.destination,
    );

    expect(await names()).toEqual(['public/dir/a']);
  });

  test('an empty directory gives no artifacts', async () => {
    await uploadArtifacts(filesContainer({ '/out': {} }), { dir: directory('/out') }, run.destination);

    expect(await run.list()).toEqual([]);
  });

  test('a symbolic link in a directory is a file if it leads to one, wherever in the container', async () => {
    const container = filesContainer({
      '/out': {
        'a.jpg': 'inside',
        'sub/in.jpg': { type: 'symlink', linkname: '../a.jpg' },
        'chain.jpg': { type: 'symlink', linkname: '/out/sub/in.jpg' },
        'out.jpg': { type: 'symlink', linkname: '/etc/motd' },
      },
      '/etc/motd': 'outside',
    });

    await uploadArtifacts(container, { dir: directory('/out') }, run.destination);

    const contents = ['sub/in.jpg', 'chain.jpg', 'out.jpg'].map(async (name) =>
      (await run.download(`dir/${name}`)).bytes.toString(),
    );
    expect(await Promise.all(contents)).toEqual(['inside', 'inside', 'outside']);
  });

  test('links to what is no file and special files are left out, and counted in one line', async () => {
    const container = filesContainer({
      '/out': {
        a: 'x',
        one: { type: 'symlink', linkname: '/etc' },
        two: { type: 'symlink', linkname: 'nothing' },
        three: { type: 'symlink', linkname: 'four' },
        four: { type: 'symlink', linkname: 'three' },
        pipe: { type: 'fifo' },
      },
      '/etc': { passwd: 'x' },
    });

    await uploadArtifacts(container, { dir: directory('/out') }, run.destination);

    expect(await names()).toEqual(['dir/a']);
    expect(run.workerLines).toEqual([
      'Artifact "dir": skipped 4 symbolic links and 1 special file in "/out"',
    ]);
  });

  test('a hard link is a file like any other', async () => {
    const container = filesContainer({
      '/out': { 'a.jpg': 'same', 'sub/b.jpg': { type: 'link', linkname: 'out/a.jpg' } },
      '/out/sub/b.jpg': 'same',
    });

    await uploadArtifacts(container, { dir: directory('/out') }, run.destination);

    expect((await run.download('dir/sub/b.jpg')).bytes.toString()).toBe('same');
  });

  test('a file whose name the queue does not take is told in words, and the rest is uploaded', async () => {
    const container = filesContainer({ '/out': { 'größe.txt': 'x', 'two\nlines': 'x', 'good.txt': 'x' } });

    await uploadArtifacts(container, { dir: directory('/out') }, run.destination);

    expect(await run.list()).toMatchObject([
      { name: 'dir', storageType: 'error' },
      { name: 'dir/good.txt', storageType: 's3' },
    ]);
    expect(run.errorLines).toEqual(
      ['dir/größe.txt', 'dir/two\\nlines'].map(
        (name) =>
          `Error uploading "${name}" artifact. Names of artifacts have printable ASCII characters only, and at most 1024; rename the file.`,
      ),
    );
  });

  test('second names of symbolic links and pipes are no files', async () => {
    const container = filesContainer({
      '/out': {
        one: { type: 'symlink', linkname: 'nowhere' },
        pipe: { type: 'fifo' },
        two: { type: 'link', linkname: 'out/one' },
        three: { type: 'link', linkname: 'out/pipe' },
      },
    });

    await uploadArtifacts(container, { dir: directory('/out') }, run.destination);

    expect(await run.list()).toEqual([]);
    expect(run.workerLines).toEqual([
      'Artifact "dir": skipped 2 symbolic links and 2 special files in "/out"',
    ]);
  });

  test('any number of hard links costs the engine one more archive', async () => {
    const files: Files = {};
    for (let index = 0; index < 60; index++) {
      files[`file${index}.txt`] = `${index}`;
      files[`link${index}.txt`] = { type: 'link', linkname: `out/file${index}.txt` };
      files[`more${index}.jpg`] = { type: 'link', linkname: `out/file${index}.txt` };
    }
    const { archive } = filesContainer({ '/out': files });
    let archives = 0;
    const counting = {
      archive: (path: string) => {
        archives++;
        return archive(path);
      },
    };

    await uploadArtifacts(counting, { dir: directory('/out') }, run.destination);

    expect(archives).toBe(2);
    expect(await run.list()).toHaveLength(180);
    expect((await run.download('dir/more59.jpg')).bytes.toString()).toBe('59');
    expect((await run.download('dir/link7.txt')).bytes.toString()).toBe('7');
  });

  test('a name belongs to the file that is declared, then to the worker, then to the first directory', async () => {
    const container = filesContainer({
      '/a.jpg': 'declared',
      '/out': { 'a.jpg': 'found', 'live.log': 'x', 'b.jpg': 'b' },
    });

    await uploadArtifacts(
      container,
      { dir: directory('/out'), 'dir/a.jpg': file('/a.jpg'), 'dir/': directory('/out') },
      { ...run.destination, reserved: new Set(['dir/live.log']) },
    );

    expect(await names()).toEqual(['dir/a.jpg', 'dir/b.jpg']);
    expect((await run.download('dir/a.jpg')).bytes.toString()).toBe('declared');
    expect(run.workerLines).toContain(
      'Artifact "dir": skipped "dir/a.jpg": the artifact "dir/a.jpg" has that name',
    );
    expect(run.workerLines).toContain(
      'Artifact "dir": skipped "dir/live.log": the worker makes that artifact itself',
    );
    expect(run.workerLines.filter((line) => line.includes('b.jpg'))).toHaveLength(1);
  });

  test.each(['../evil', 'a/../../evil', './a', 'a//b'])('an entry named %s is refused', async (name) => {
    const container = filesContainer({ '/out': { good: 'x', [name]: 'x' } });

    await expect(uploadArtifacts(container, { dir: directory('/out') }, run.destination)).rejects.toThrow(
      'Encountered error when uploading artifact(s)',
    );

    expect(run.errorLines).toEqual([
      `Error uploading "dir" artifact. the archive has an entry outside of the directory: "out/${name}"`,
    ]);
    expect(await names()).toEqual(['dir/good']);
  });

  test('many files are uploaded side by side, but no more than allowed', async () => {
    const files: Files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${index}.txt`, 'x']));

    await uploadArtifacts(
      filesContainer({ '/one': files, '/two': files }),
      { one: directory('/one'), two: directory('/two') },
      { ...run.destination, concurrency: 3 },
    );

    expect(run.puts.count).toBe(80);
    // How far it gets towards the limit depends on the machine.
    expect(run.puts.mostAtOnce).toBeGreaterThan(1);
    expect(run.puts.mostAtOnce).toBeLessThanOrEqual(3);
    expect((await names()).length).toBe(80);
  });

  test('files are uploaded before the archive has ended', async () => {
    const tar = await directoryTar('out', { 'first.txt': 'x', 'second.txt': 'x' });
    const stream = new PassThrough();
    const uploaded = Promise.withResolvers<void>();
    run.puts.onNext = uploaded.resolve;

    // A header and its file take 512 bytes each.
    stream.write(tar.subarray(0, 3 * 512));
    const all = uploadArtifacts({ archive: async () => stream }, { dir: directory('/out') }, run.destination);
    await uploaded.promise;
    stream.end(tar.subarray(3 * 512));
    await all;

    expect(await names()).toEqual(['dir/first.txt', 'dir/second.txt']);
  });
});

describe('failures', () => {
  test('a refused upload is an error line; the others are made, then the whole fails', async () => {
    run.faults.push(403);
    const container = filesContainer({ '/out': { 'a.txt': 'x', 'b.txt': 'x', 'c.txt': 'x' } });

    await expect(
      uploadArtifacts(container, { dir: directory('/out') }, { ...run.destination, concurrency: 1 }),
    ).rejects.toThrow('Encountered error when uploading artifact(s)');

    expect(run.errorLines).toEqual([
      'Error uploading "dir/a.txt" artifact. the storage answered 403 (MadeUp) instead of 200',
    ]);
    expect(run.puts.count).toBe(3);
  });

  test('a storage that recovers in time fails nothing', async () => {
    run.faults.push(503, 'reset');

    await uploadArtifacts(filesContainer({ '/a': 'hello' }), { 'a.jpg': file('/a') }, run.destination);

    expect(run.puts.count).toBe(3);
    expect((await run.download('a.jpg')).bytes.toString()).toBe('hello');
    expect(run.errorLines).toEqual([]);
  });

  test('while the storage is out of order, a directory is given up after its first failure', async () => {
    run.faults.push(...Array<number>(300).fill(503));
    const files: Files = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${index}`, 'x']));

    await expect(
      uploadArtifacts(
        filesContainer({ '/out': files }),
        { dir: directory('/out') },
        { ...run.destination, concurrency: 1 },
      ),
    ).rejects.toThrow('Encountered error');

    expect(run.puts.count).toBeLessThanOrEqual(6);
    expect(run.errorLines.at(-1)).toBe(
      'Error uploading "dir" artifact. The files that were left in the directory are not tried.',
    );
  });

  test('an archive that breaks off is an error line', async () => {
    const tar = await directoryTar('out', { 'a.txt': 'x', 'b.txt': Buffer.alloc(1_000_000) });
    const stream = new PassThrough();
    stream.write(tar.subarray(0, 500_000));
    run.puts.onNext = () => stream.destroy(new Error('the engine hung up'));

    await expect(
      uploadArtifacts({ archive: async () => stream }, { dir: directory('/out') }, run.destination),
    ).rejects.toThrow('Encountered error');

    expect(run.errorLines).toEqual(['Error uploading "dir" artifact. the engine hung up']);
  });

  test('an abort ends everything at once with its reason', async () => {
    run.faults.push('hang');
    run.puts.onNext = () => run.abort(new Error('the worker shuts down'));
    const big = Buffer.alloc(1_000_000);

    await expect(
      uploadArtifacts(
        filesContainer({ '/out': { 'a.txt': big, 'b.txt': big } }),
        { dir: directory('/out') },
        run.destination,
      ),
    ).rejects.toThrow('the worker shuts down');

    expect(run.errorLines).toEqual([]);
  });

  test('an abort while the engine is silent ends the wait', async () => {
    const silent = { archive: () => new Promise<never>(() => {}) };

    const upload = uploadArtifacts(silent, { a: file('/a') }, run.destination);
    run.abort(new Error('the worker shuts down'));

    await expect(upload).rejects.toThrow('the worker shuts down');
  });
});
