import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Command, dockerWorker } from '../harness/command.ts';
import { EngineEvents } from '../harness/host/engine-events.ts';
import { docker } from '../harness/host/host-contents.ts';
import { networkExists, runContainers, runNetwork } from '../harness/host/run-containers.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

const longTask = {
  image: 'docker-worker/example-task',
  maxRunTime: 600,
  features: { taskclusterProxy: true },
  command: ['bash', '-c', 'echo "task $TASK_ID/$RUN_ID is under way"; sleep 600'],
};

test('a killed worker leaves no sidecar alive, and the next one removes the rest and nothing else', async () => {
  await using folder = await makeTempDir();
  const file = join(folder.path, 'long.json');
  await writeFile(file, JSON.stringify(longTask));
  const stranger = await docker.createContainer({ Image: 'docker-worker/example-task', Cmd: ['true'] });
  try {
    await using events = await EngineEvents.open();
    await using worker = new Command(['run-task', file]);
    const [, taskRun = ''] = await worker.printed(/task (\S+) is under way/);
    const before = await runContainers(taskRun);
    const network = await runNetwork(taskRun);
    expect([...before.keys()].sort()).toEqual(['sidecar:tc-proxy', 'task']);

    const killed = Date.now();
    worker.kill('SIGKILL');
    await events.happened('destroy', before.get('sidecar:tc-proxy')?.Id ?? '');
    expect(Date.now() - killed).toBeLessThan(25_000);
    expect([...(await runContainers(taskRun)).keys()]).toEqual(['task']);

    await using next = new Command(['run-task', file]);
    await next.printed(/is under way/);
    expect(await runContainers(taskRun)).toEqual(new Map());
    expect(await networkExists(network)).toBe(false);
    expect((await stranger.inspect()).State.Status).toBe('created');
    next.kill('SIGINT');
    expect(await next.exited).toBe(130);
  } finally {
    await stranger.remove();
  }
});

test('sweep removes what killed workers left, and leaves running ones alone', async () => {
  await using folder = await makeTempDir();
  const file = join(folder.path, 'long.json');
  await writeFile(file, JSON.stringify({ ...longTask, features: {} }));
  await using killed = new Command(['run-task', file]);
  const [, lostRun = ''] = await killed.printed(/task (\S+) is under way/);
  await using running = new Command(['run-task', file]);
  const [, liveRun = ''] = await running.printed(/task (\S+) is under way/);
  killed.kill('SIGKILL');
  await killed.exited;

  const { code, stdout } = await dockerWorker('sweep');

  expect(stdout).toBe(
    'removed 1 containers, 1 networks, 0 images, 0 AppArmor profiles, 0 rules about metadata services and 1 temporary folders of workers that no longer run\n',
  );
  expect(code).toBe(0);
  expect((await runContainers(lostRun)).size).toBe(0);
  expect((await runContainers(liveRun)).size).toBe(1);
  running.kill('SIGTERM');
  expect(await running.exited).toBe(143);
});

test('an interrupt cancels the task and leaves nothing behind', async () => {
  await using folder = await makeTempDir();
  const file = join(folder.path, 'long.json');
  await writeFile(file, JSON.stringify(longTask));
  await using worker = new Command(['run-task', file]);
  const [, taskRun = ''] = await worker.printed(/task (\S+) is under way/);

  const network = await runNetwork(taskRun);

  worker.kill('SIGINT');

  expect(await worker.exited).toBe(130);
  expect(worker.stdout).toContain('[taskcluster:error] Task has been canceled');
  expect((await runContainers(taskRun)).size).toBe(0);
  expect(await networkExists(network)).toBe(false);
});
