import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { bridgeGateway } from '@docker-worker/worker';
import { expect, test } from '@jest/globals';
import { docker } from '../harness/host/host-contents.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

const root = join(import.meta.dirname, '../../../..');
const image = 'docker-worker/mirror-proxy';
const list = 'packages/worker/src/features/all.ts';
const run = promisify(execFile);

test('who follows the page about adding a proxy runs a task through it', async () => {
  const page = await readFile(join(root, 'docs/adding-a-proxy.md'), 'utf8');
  await using upstream = await listening(
    createServer(({ method, url }, response) => response.end(`mirrored ${method} ${url}\n`)),
    { host: await bridgeGateway(docker), port: 0 },
  );
  await using copy = await copyOfRepository();
  const inCopy = (command: string, ...args: string[]) => run(command, args, { cwd: copy.path });

  for (const [, file = '', text = ''] of page.matchAll(/^`([^`\n]+)`\n\n```\w+\n(.*?)^```$/gms)) {
    await mkdir(dirname(join(copy.path, file)), { recursive: true });
    await writeFile(join(copy.path, file), text.replace('https://mirror.example.com', upstream.url));
  }
  const [, line = ''] = /```diff\n\+(.*\n)/.exec(page) ?? [];
  await appendFile(join(copy.path, list), line);

  // The packages are on this host already, so of the installation only the lockfile and the link are left to make.
  const [, install = ''] = /^npm (install .*)$/m.exec(page) ?? [];
  await inCopy('npm', ...install.split(' '), '--package-lock-only', '--offline', '--ignore-scripts');
  await symlink(
    join(copy.path, 'packages/mirror-proxy'),
    join(copy.path, 'node_modules/@docker-worker/mirror-proxy'),
  );
  const folder = join(copy.path, 'packages/mirror-proxy');
  await Promise.all([
    run('tsc', [], { cwd: folder }),
    run('node', ['../../docker/bundle.ts'], { cwd: folder }),
    inCopy('node', 'checks/imports.ts'),
    inCopy('node', '--no-warnings', 'docs/generate.ts'),
  ]);
  await using _image = { [Symbol.asyncDispose]: removeImage };
  await inCopy('node', 'docker/bake.ts');
  const main = 'packages/worker/src/main.ts';
  const { stdout } = await inCopy('node', main, 'run-task', 'mirror.yml', '--config', 'mirror-config.yml');

  expect(stdout).toContain('mirrored GET /hello?from=task');
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain('MIRROR_PROXY_UPSTREAM');
  const reference = await readFile(join(copy.path, 'docs/reference/configuration.md'), 'utf8');
  expect(reference).toContain('`mirrorProxy.upstream`');
  const readme = await readFile(join(copy.path, 'README.md'), 'utf8');
  expect(readme).toContain('(packages/mirror-proxy)');
  expect(readme).toContain('| `mirrorProxy` ');
}, 300_000);

/** The files of the working tree and the bundles, with the packages that are installed. */
async function copyOfRepository() {
  const copy = await makeTempDir();
  const left = ['node_modules', '.git', '.turbo'];
  await cp(root, copy.path, { recursive: true, filter: (path) => !left.includes(basename(path)) });
  await mkdir(join(copy.path, 'node_modules/@docker-worker'), { recursive: true });
  const installed = await readdir(join(root, 'node_modules'));
  const own = await readdir(join(root, 'node_modules/@docker-worker'));
  await Promise.all([
    ...installed
      .filter((name) => name !== '@docker-worker')
      .map((name) => symlink(join(root, 'node_modules', name), join(copy.path, 'node_modules', name))),
    ...own.map((name) =>
      symlink(join(copy.path, 'packages', name), join(copy.path, 'node_modules/@docker-worker', name)),
    ),
  ]);
  return copy;
}

async function removeImage(): Promise<void> {
  const own = await docker.listImages({ filters: { reference: [image] } });
  await Promise.all(own.map(({ Id }) => docker.getImage(Id).remove({ force: true })));
}
