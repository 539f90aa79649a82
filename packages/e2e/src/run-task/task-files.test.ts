import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { dockerWorker } from '../harness/command.ts';
import { hostContents } from '../harness/host/host-contents.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

const valid = { image: 'docker-worker/example-task', maxRunTime: 60 };

/** What is wrong, the file's text, and what the message must name. */
const badFiles: [string, string, RegExp][] = [
  ['an unknown key', JSON.stringify({ ...valid, comand: ['ls'] }), /comand.*did you mean.*command/],
  [
    'a wrong type',
    JSON.stringify({ ...valid, maxRunTime: 'ten' }),
    /task\.yml:1:\d+: maxRunTime: found the text 'ten', expected a whole number/,
  ],
  [
    'a missing image',
    JSON.stringify({ payload: { maxRunTime: 60 } }),
    /payload\.image: .*(required|missing)/,
  ],
  ['an empty file', '', /empty/],
  ['no YAML', 'image: [', /task\.yml:1:\d+: not valid YAML/],
  [
    'an artifact path that is not absolute',
    JSON.stringify({ ...valid, artifacts: { 'public/a': { type: 'file', path: 'a.txt' } } }),
    /artifacts\["public\/a"\]\.path: found the text 'a\.txt', .*write \/a\.txt/,
  ],
];

test.each(badFiles)(
  '%s is told in one readable message, and nothing is created',
  async (_, text, message) => {
    await using folder = await makeTempDir();
    const file = join(folder.path, 'task.yml');
    await writeFile(file, text);
    const before = await hostContents();

    const { code, stdout, stderr } = await dockerWorker('run-task', file);

    expect(stderr).toMatch(message);
    expect(stderr).toContain('task.yml');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
    expect(code).toBe(125);
    expect(await hostContents()).toEqual(before);
  },
);

test('a dry run tells what would be created, and creates nothing', async () => {
  await using folder = await makeTempDir();
  const file = join(folder.path, 'task.yml');
  await writeFile(
    file,
    JSON.stringify({ ...valid, features: { taskclusterProxy: true }, env: { GREETING: 'x' } }),
  );
  const before = await hostContents();

  const { code, stdout } = await dockerWorker('run-task', file, '--dry-run', '--scope', 'secrets:get:a');

  expect(stdout).toMatch(/container +image docker-worker\/example-task \(on this host\)/);
  expect(stdout).toMatch(/sidecar +tc-proxy, .* as http:\/\/taskcluster/);
  expect(stdout).toMatch(/env +GREETING/);
  expect(stdout).toMatch(/scopes +secrets:get:a; none is missing/);
  expect(code).toBe(0);
  expect(await hostContents()).toEqual(before);
});

test('a dry run refuses what a run would, and expands the roles of the command line', async () => {
  await using folder = await makeTempDir();
  const file = join(folder.path, 'task.yml');
  await writeFile(file, `taskGroupId: mine\npayload: ${JSON.stringify(valid)}\n`);
  for (const options of [['--dry-run'], []]) {
    const { code, stdout, stderr } = await dockerWorker('run-task', file, ...options);
    expect(stderr).toMatch(/task\.yml:1:1: taskGroupId: must be a slugid/);
    expect(stdout).toBe('');
    expect(code).toBe(125);
  }

  const payload = { ...valid, features: { chainOfTrust: true }, cache: { tools: '/cache' } };
  await writeFile(file, JSON.stringify({ scopes: ['assume:repo:a:branch:b'], payload }));
  const lacking = await dockerWorker('run-task', file, '--dry-run');
  expect(lacking.stdout).toMatch(/refused .*docker-worker:cache:tools/);
  expect(lacking.stderr).toContain("--role 'assume:repo:a:branch:b=SCOPE,SCOPE'");
  const role = 'assume:repo:a:*=docker-worker:cache:tools';
  expect((await dockerWorker('run-task', file, '--dry-run', '--role', role)).code).toBe(0);
});

test('a secret that is not JSON is refused without being printed', async () => {
  await using folder = await makeTempDir();
  const file = join(folder.path, 'task.yml');
  await writeFile(file, JSON.stringify(valid));

  const { code, stderr } = await dockerWorker('run-task', file, '--secret', 'my/secret=hunter2');

  expect(stderr).toBe('--secret my/secret=…: the value is not JSON.\n');
  expect(code).toBe(125);
});
