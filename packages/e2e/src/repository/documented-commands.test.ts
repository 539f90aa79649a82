import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../../..');
const pages = ['README.md', 'deploy/README.md', 'docs/*.md', 'docs/features/*.md'].flatMap((pattern) =>
  globSync(pattern, { cwd: repository }),
);

/** Commands that no test here runs as they stand, by what they begin with, and what takes their place. */
const elsewhere: Record<string, string> = {
  'npm start':
    'prepares a clone and runs hello.yml; a clone is prepared before these tests, examples.test.ts runs it',
  'npm test': 'these tests',
  'npx docker-worker run-task examples/failing.yml': 'examples.test.ts',
  'npx docker-worker run-task examples/decision.yml': 'examples.test.ts',
  'npx docker-worker run-task template.yml':
    'render-template.test.ts and read-task-file.test.ts of the worker',
  'npx docker-worker run-task .taskcluster.yml': 'examples.test.ts, and policies.test.ts of the worker',
  'npx docker-worker run-task https:': 'upstream.test.ts, with a deployment on loopback',
  'npx docker-worker run-task examples/task-graph.yml': 'examples.test.ts, and graph.test.ts of the worker',
  'docker run --detach --name worker': 'publish.test.ts, with folders that are not those of the host',
  'npm run images -- --push': 'publish.test.ts, with a registry on loopback',
  'npm run images\nnpm exec -- node deploy/stage.ts\npacker build':
    'a cloud is needed; machine-image.test.ts validates the template, vm/machine.test.ts runs what it provisions',
  'npm run images\nnpm exec -- node deploy/disk-image.ts':
    'vm/machine.test.ts, for which it takes an emulated machine',
  'npm run pack': 'installed.test.ts, with a folder of its own',
  'mkdir config': 'vm/machine.test.ts',
  'curl --location --compressed --output image.tar': 'docker-save.test.ts and examples.test.ts',
  'taskcluster api auth createRole': 'deployment-scopes.test.ts makes the same roles of the same JSON',
  'npm install --workspace packages/worker': 'adding-a-proxy.test.ts',
  'npx docker-worker run-task mirror.yml': 'adding-a-proxy.test.ts',
  'curl --fail-with-body': 'a command of a task, which testdroid.yml has in a longer form',
};

const executed = ['npx docker-worker run-task task.yml', 'npx docker-worker check'];

test('every command of the documentation is executed here, or it is said where', () => {
  const known = [...Object.keys(elsewhere), ...executed];
  const all = pages.flatMap((page) => shellBlocks(page));

  expect(all.filter((block) => !known.some((begin) => block.startsWith(begin)))).toEqual([]);
  expect(known.filter((begin) => !all.some((block) => block.startsWith(begin)))).toEqual([]);
});

test('quickstart: a task of your own', async () => {
  await using folder = await clone();
  await writeFile(join(folder.path, 'task.yml'), yamlBlock('A task of your own'));

  const { stdout } = await shell(folder, commands('npx docker-worker run-task task.yml'));

  expect(stdout).toContain('hello\r\n');
  expect(await readFile(join(folder.path, 'out/public/result.txt'), 'utf8')).toBe('result\n');
});

test('quickstart: a worker on a deployment', async () => {
  await using deployment = await startDeployment();
  await using folder = await clone();
  const { rootUrl, credentials } = deployment.local;
  const filledIn = {
    'https://taskcluster.example.com': rootUrl,
    'my-provisioner': 'test',
    'my-pool': 'e2e',
    'project/me': credentials.clientId,
    '…': credentials.accessToken,
  };
  const config = Object.entries(filledIn).reduce(
    (text, [placeholder, value]) => text.replace(placeholder, value),
    yamlBlock('On a deployment'),
  );
  // What would be this host's, and a reason to end.
  const more = [
    `stateDirectory: ${folder.path}/state`,
    `cache: { volumeCachePath: ${folder.path}/caches }`,
    'admin: { port: 0 }',
    'capacityManagement: { diskspaceThreshold: 0 }',
    'shutdown: { enabled: true, afterIdleSeconds: 1 }',
  ];
  await writeFile(join(folder.path, 'worker.yml'), `${config}${more.join('\n')}\n`);
  const taskId = await deployment.createTask({ command: ['echo', 'hello'] });

  await shell(folder, commands('npx docker-worker check'));

  expect((await deployment.queue.status(taskId)).status.state).toBe('completed');
});

/** A folder in which the commands are found as they are in a clone. */
async function clone(): Promise<TempDir> {
  const folder = await makeTempDir();
  await symlink(join(repository, 'node_modules'), join(folder.path, 'node_modules'));
  return folder;
}

function shell({ path }: TempDir, script: string) {
  return run('bash', ['-euo', 'pipefail', '-c', script], { cwd: path });
}

function commands(begin: string): string {
  const found = pages.flatMap(shellBlocks).find((block) => block.startsWith(begin));
  if (found === undefined) throw new Error(`no page has a command that begins with "${begin}"`);
  return found;
}

function shellBlocks(page: string): string[] {
  const text = readFileSync(join(repository, page), 'utf8');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
}

/** The first YAML below a heading of the quickstart. */
function yamlBlock(heading: string): string {
  const page = readFileSync(join(repository, 'docs/quickstart.md'), 'utf8');
  return /```yaml\n([\s\S]*?)```/.exec(page.slice(page.indexOf(`## ${heading}`)))?.[1] ?? '';
}
