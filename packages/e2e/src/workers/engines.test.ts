import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Command, type CommandOptions } from '../harness/command.ts';
import { allEngines } from '../harness/engines/all-engines.ts';
import { contents, docker } from '../harness/engines/docker.ts';
import { startOrSkip } from '../harness/engines/start-or-skip.ts';
import type { TestEngine } from '../harness/engines/test-engine.ts';
import { makeTinyImage } from '../harness/images/tiny-image.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';

const run = promisify(execFile);

/** Small, because all of it is saved. */
const image = 'docker-worker-e2e-engines:latest';
const sidecars = ['tc-proxy', 'exec-ws-server'].map((name) => `docker-worker/${name}:0.1.0`);

let folder: TempDir;
beforeAll(async () => {
  folder = await makeTempDir();
  const { archive } = await makeTinyImage('engines', { repoTags: [image], tools });
  await writeFile(join(folder.path, 'task.tar'), archive);
  await run('docker', ['save', '--output', join(folder.path, 'sidecars.tar'), ...sidecars]);
});
afterAll(async () => await folder[Symbol.asyncDispose]());

const tools = ['busybox', 'sh', 'cat', 'echo', 'mkdir', 'wget', 'hostname'];

const payload = {
  image,
  maxRunTime: 300,
  cache: { engines: '/cache' },
};

/** Uses all that makes one engine differ from another. */
const everything = {
  scopes: ['secrets:get:engines', 'docker-worker:cache:engines'],
  payload: {
    ...payload,
    features: { taskclusterProxy: true, dockerSave: true },
    command: [
      'sh',
      '-ec',
      `wget -qO /secret.json $TASKCLUSTER_PROXY_URL/api/secrets/v1/secret/engines
      echo "made by the first task" > /cache/mark
      echo "the task has run"`,
    ],
    artifacts: { 'public/secret.json': { type: 'file', path: '/secret.json' } },
  },
};

const readsCache = {
  scopes: ['docker-worker:cache:engines'],
  payload: { ...payload, command: ['cat', '/cache/mark'] },
};

test.each(Object.entries(allEngines))(
  'a task has its proxy, artifacts, caches, shell and saved image on %s, where nothing is left',
  async (name, kind) => {
    await using engine = await startOrSkip(name, kind);
    if (engine === undefined) {
      return;
    }
    for (const archive of ['task.tar', 'sidecars.tar']) {
      await docker(engine, ['load'], join(folder.path, archive));
    }
    const before = await contents(engine);
    await using user = await openFolder(engine, name);

    const secret = JSON.stringify({ greeting: `hello to ${name}` });
    await using shell = user.runTask(everything, ['--shell', '--secret', `engines=${secret}`], {
      terminal: { rows: 24, columns: 80 },
    });
    await shell.printed(/\/ # /);
    shell.say('cat /cache/mark; cat /secret.json\r');
    await shell.printed(/made by the first task.*hello to /s);
    shell.say('exit 7\r');
    expect(await shell.exited).toBe(7);
    expect(shell.stdout).toContain('the task has run');
    expect(shell.stdout).not.toContain('[taskcluster:error]');
    expect(JSON.parse(await user.artifact('public/secret.json'))).toMatchObject({
      secret: JSON.parse(secret),
    });
    const loaded = await docker(engine, ['load'], user.path('artifacts/public/dockerImage.tar'));
    const names = loaded.match(/[\w./-]+:latest/g) ?? [];
    expect(names).toHaveLength(2);
    expect(await docker(engine, ['run', '--rm', `${names[0]}`, 'cat', '/secret.json'])).toContain(secret);
    await docker(engine, ['rmi', ...names]);

    await using second = user.runTask(readsCache);
    expect(await second.exited).toBe(0);
    expect(second.stdout).toMatch(/^made by the first task\r?$/m);
    expect(await contents(engine)).toEqual(before);
  },
  300_000,
);

/** A folder of the engine's user. */
async function openFolder(engine: TestEngine, name: string) {
  const path = `/tmp/docker-worker-e2e-${process.pid}-${name}`;
  const outside = engine.outside(path);
  await mkdir(outside);
  await chmod(outside, 0o777);
  return {
    path: (file: string) => join(outside, file),
    artifact: (file: string) => readFile(join(outside, 'artifacts', file), 'utf8'),
    runTask(task: object, options: string[] = [], more: CommandOptions = {}) {
      const file = join(path, 'task.json');
      writeFileSync(join(outside, 'task.json'), JSON.stringify(task));
      const [program, args] = engine.worker;
      const env = { ...engine.env, XDG_STATE_HOME: join(path, 'state'), XDG_CACHE_HOME: join(path, 'cache') };
      return new Command([...args, 'run-task', file, '--artifacts', join(path, 'artifacts'), ...options], {
        program,
        env,
        ...more,
      });
    },
    [Symbol.asyncDispose]: () => rm(outside, { recursive: true, force: true }),
  };
}
