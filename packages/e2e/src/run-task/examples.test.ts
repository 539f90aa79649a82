import { execFile, spawn } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { Command, dockerWorker } from '../harness/command.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

const run = promisify(execFile);
const examples = join(import.meta.dirname, '../../../../examples');

const runExample = (name: string, ...options: string[]) =>
  dockerWorker('run-task', join(examples, name), ...options);

test.concurrent('hello reads a secret through the proxy and leaves its artifacts', async () => {
  await using folder = await makeTempDir();

  const { code, stdout } = await runExample(
    'hello.yml',
    '--secret',
    'examples/hello={"greeting":"good morning"}',
    '--artifacts',
    folder.path,
  );

  expect(stdout).toContain('The secret says: good morning\r\n');
  expect(code).toBe(0);
  expect((await readdir(folder.path, { recursive: true })).sort()).toEqual([
    'public',
    'public/greeting.txt',
    'public/logs',
    'public/logs/live_backing.log',
    'public/report',
    'public/report/details',
    'public/report/details/machine.txt',
    'public/report/index.html',
  ]);
  expect(await readFile(join(folder.path, 'public/greeting.txt'), 'utf8')).toBe('good morning\n');
  expect(await readFile(join(folder.path, 'public/logs/live_backing.log'), 'utf8')).toBe(stdout);
});

test.concurrent('hello without its secret says how to give it', async () => {
  const { code, stdout } = await runExample('hello.yml');

  expect(stdout).toContain(`The secret is missing: add --secret examples/hello='{"greeting":"hello"}'`);
  expect(code).toBe(1);
});

test.concurrent('failing ends with the exit code of the task, and its container is kept if that is asked for', async () => {
  const { code, stdout, stderr } = await runExample('failing.yml', '--keep');

  expect(stdout).toContain('This goes wrong.');
  expect(stdout).toMatch(/Unsuccessful task run with exit code: 3 completed in [\d.]+ seconds\n$/);
  expect(code).toBe(3);
  const [, kept = '', image = ''] =
    /docker start --attach --interactive (\S+)\n.*remove it by: docker rm \S+ && docker rmi (\S+)/.exec(
      stderr,
    ) ?? [];
  try {
    await run('docker', ['start', kept]);
    expect((await run('docker', ['exec', kept, 'sh', '-c', 'echo "$TASK_ID"'])).stdout).toMatch(
      /^[\w-]{22}\n$/,
    );
  } finally {
    await run('docker', ['rm', '--force', kept]);
    await run('docker', ['rmi', image]);
  }
});

test.concurrent('timeout is stopped at its maxRunTime and keeps what it had written', async () => {
  await using folder = await makeTempDir();

  const { code, stdout } = await runExample('timeout.yml', '--artifacts', folder.path);

  expect(stdout).toContain('\n[taskcluster:error] Task timeout after 2 seconds. Force killing container.\n');
  expect(await readFile(join(folder.path, 'public/partial.txt'), 'utf8')).toBe('half of the work\n');
  expect(code).toBe(124);
});

test.concurrent('first, which is just a payload, leaves its result', async () => {
  await using folder = await makeTempDir();

  const { code, stdout } = await runExample('first.yml', '--artifacts', folder.path);

  expect(stdout).toContain('hello\r\n');
  expect(await readFile(join(folder.path, 'public/result.txt'), 'utf8')).toBe('result\n');
  expect(code).toBe(0);
});

test.concurrent('artifacts leaves a folder and a file, and tells of the one that is missing', async () => {
  await using folder = await makeTempDir();

  const { code, stdout } = await runExample('artifacts.yml', '--artifacts', folder.path);

  expect(stdout).toMatch(/public\/missing\.txt.*\/tmp\/missing\.txt/);
  expect(await readFile(join(folder.path, 'public/report/index.html'), 'utf8')).toBe('<h1>Done</h1>\n');
  expect(await readFile(join(folder.path, 'public/result.txt'), 'utf8')).toBe('The result.\n');
  expect(code).toBe(0);
});

test.concurrent('cache has what the run before has left', async () => {
  await using folder = await makeTempDir();
  const settings = join(folder.path, 'settings.json');
  await writeFile(settings, JSON.stringify({ cache: { volumeCachePath: join(folder.path, 'caches') } }));
  const run = () => runExample('cache.yml', '--config', settings);

  expect((await run()).stdout).toContain('Runs with this cache: 1\r\n');
  expect((await run()).stdout).toContain('Runs with this cache: 2\r\n');
});

test.concurrent('parallel runs two tasks side by side, each with the scopes of its own', async () => {
  await using folder = await makeTempDir();
  const { code, stdout } = await runExample(
    'parallel.yml',
    '--secret',
    'examples/left={"value":"L"}',
    '--secret',
    'examples/right={"value":"R"}',
    '--artifacts',
    folder.path,
  );

  expect(stdout).toMatch(/^\[left\] .*"value":"L"/m);
  expect(stdout).toMatch(/^\[right\] .*"value":"R"/m);
  expect(stdout.match(/the other's secret: HTTP status 403/g)).toHaveLength(2);
  expect(code).toBe(0);
  for (const side of ['left', 'right']) {
    const log = await readFile(join(folder.path, side, 'public/logs/live_backing.log'), 'utf8');
    expect(log).toContain(`"value":"${side === 'left' ? 'L' : 'R'}"`);
  }
});

test.concurrent('decision creates tasks by the scopes of its role, which run, and what it leaves is signed', async () => {
  await using folder = await makeTempDir();
  const role = 'assume:repo:github.com/example/project:branch:main';
  const scopes = [
    'queue:create-task:project:none',
    'queue:scheduler-id:example',
    'queue:create-task:lowest:examples/build',
  ];

  const without = await runExample('decision.yml');
  expect(without.code).toBe(1);
  expect(without.stderr).toContain(`the role ${role.slice('assume:'.length)} is not known here`);
  expect(without.stderr).toContain(`to give it that, add --role '${role}=${scopes.join(',')}'`);

  const { code, stdout, stderr } = await runExample(
    ...['decision.yml', '--artifacts', folder.path, '--role', `${role}=${scopes.join(',')}`],
  );

  expect(stdout).toMatch(/Created build: [\w-]{22}/);
  expect(stdout).toMatch(/\[build\] building\r\n[\s\S]*\[test\] testing\r\n/);
  expect(code).toBe(0);
  const [, key = ''] =
    /chainOfTrust: signs with a key that was made for this run \(public key (\S+)\)/.exec(stderr) ?? [];
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key, 'base64').toString('base64url') },
    format: 'jwk',
  });
  const document = await readFile(join(folder.path, 'public/chain-of-trust.json'));
  const signature = await readFile(join(folder.path, 'public/chain-of-trust.json.sig'));
  expect(verify(null, document, publicKey, signature)).toBe(true);
  expect(Object.keys(JSON.parse(document.toString()).artifacts)).toContain('public/task-graph.json');
});

test.concurrent('task-graph makes an image, builds in it, and tests what was built', async () => {
  await using folder = await makeTempDir();

  const report = join(folder.path, 'report.json');
  const { code, stdout, stderr } = await runExample(
    ...['task-graph.yml', '--artifacts', folder.path, '--report', report],
  );

  expect(stdout).toContain('[test-small] Testing what was built with tools 1.0.');
  expect(stdout).toContain('[test-large] Testing what was built with tools 1.0.');
  expect(await readFile(join(folder.path, 'build/public/result.txt'), 'utf8')).toBe('built with tools 1.0\n');
  expect(stderr).toMatch(
    /^task +result +waiting +image +sidecars +running +uploading +artifacts\ndocker-image-tools +completed /m,
  );
  expect(JSON.parse(await readFile(report, 'utf8')).tasks).toMatchObject([
    { name: 'docker-image-tools', artifacts: expect.arrayContaining(['public/image.tar']) },
    {
      name: 'build',
      result: 'completed',
      seconds: { image: expect.any(Number), uploading: expect.any(Number) },
    },
    { name: 'test-small', exitCode: 0 },
    { name: 'test-large', exitCode: 0 },
  ]);
  expect(code).toBe(0);
});

test.concurrent('.taskcluster.yml makes tasks of the commit that is checked out', async () => {
  await using folder = await makeTempDir();
  const git = async (...words: string[]) =>
    (
      await run('git', ['-C', folder.path, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...words])
    ).stdout.trim();
  await git('init', '--quiet', '--initial-branch=main');
  await copyFile(join(examples, '.taskcluster.yml'), join(folder.path, '.taskcluster.yml'));
  await git('add', '.');
  await git('commit', '--quiet', '--message=First');

  const { code, stdout } = await dockerWorker(
    'run-task',
    join(folder.path, '.taskcluster.yml'),
    '--event',
    'pull-request',
  );

  expect(stdout).toContain(`Testing ${await git('rev-parse', 'HEAD')}`);
  expect(code).toBe(0);
});

test.concurrent('docker-save leaves an image in which the work of the task is found', async () => {
  await using folder = await makeTempDir();

  const { code } = await runExample('docker-save.yml', '--artifacts', folder.path);

  expect(code).toBe(0);
  const load = await run('docker', ['load', '--input', join(folder.path, 'public/dockerImage.tar')]);
  const names = [...load.stdout.matchAll(/^Loaded image: (\S+)$/gm)].map(([, name = '']) => name);
  expect(names).toHaveLength(2);
  try {
    const { stdout } = await run('docker', ['run', '--rm', names[0] ?? '', 'cat', '/built/result.txt']);
    expect(stdout).toMatch(/^built at 20/);
  } finally {
    await run('docker', ['rmi', ...names]);
  }
});

test.concurrent('relengapi downloads an internal file with the permission of its scope', async () => {
  const { code, stdout } = await exampleWithStandIns('relengapi');

  expect(stdout).toContain('file.txt: OK');
  expect(code).toBe(0);
});

test.concurrent('balrog talks to a server that only a VPN leads to', async () => {
  const { code, stdout } = await exampleWithStandIns('balrog');

  expect(stdout).toContain('without credentials: HTTP status 401');
  expect(stdout).toContain('"length":3000000');
  expect(code).toBe(0);
});

test.concurrent('interactive lets somebody in who changes its artifact', async () => {
  await using folder = await makeTempDir();
  await using command = new Command(
    ['run-task', join(examples, 'interactive.yml'), '--shell', '--artifacts', folder.path],
    { terminal: { rows: 24, columns: 80 } },
  );
  await command.printed(/root@\w+:\/# /);
  command.say('echo changed > /tmp/result.txt; exit\r');

  expect(await command.exited).toBe(0);
  expect(await readFile(join(folder.path, 'public/result.txt'), 'utf8')).toBe('changed\n');
});

test.concurrent('testdroid borrows a phone with the build that it asks for', async () => {
  const { code, stdout } = await exampleWithStandIns('testdroid');

  expect(stdout).toMatch(/Got flame.*; adb is at 192\.0\.2\.\d+:2\d{4}/);
  expect(stdout).toContain('319_https://example.com/builds/new/flame.zip');
  expect(stdout).toContain('Device released');
  expect(code).toBe(0);
});

test.concurrent('ptrace looks into its own processes', async () => {
  const { code, stdout } = await runExample('ptrace.yml');

  expect(stdout).toContain('traced the sibling');
  expect(stdout).toMatch(/^process \d+/m);
  expect(code).toBe(0);
});

/** Runs it as its first comment says. */
async function exampleWithStandIns(name: string) {
  const child = spawn(process.execPath, [join(examples, 'with-stand-ins.ts'), name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout };
}
