import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Command } from '../harness/command.ts';
import { startDeployment } from '../harness/deployment.ts';
import { logShows } from '../harness/log-shows.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { startTestWorker } from '../harness/test-worker.ts';
import { ThrowawayEngine } from '../harness/throwaway-engine.ts';
import { writeConfig } from '../harness/write-config.ts';

const mebibyte = 1024 * 1024;

test('the limits of the configuration are those that a task finds', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, {
    limits: { memory: 96 * mebibyte, cpus: 0.5, pids: 60, shm: 48 * mebibyte, openFiles: 512 },
  });
  // The first path of each is of control groups version 2, the second of version 1.
  const taskId = await deployment.createTask({
    command: [
      'bash',
      '-c',
      `cd /sys/fs/cgroup
       echo memory: $(cat memory.max memory/memory.limit_in_bytes 2>/dev/null)
       echo pids: $(cat pids.max pids/pids.max 2>/dev/null)
       echo cpu: $(cat cpu.max cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us 2>/dev/null)
       echo shm: $(df --block-size=1 --output=size /dev/shm | tail -n 1)
       echo files: $(ulimit -n)`,
    ],
  });

  expect((await worker.outcome(taskId)).resolution.kind).toBe('completed');

  const log = await deployment.taskLog(taskId);
  expect(log).toContain(`memory: ${96 * mebibyte}\r\n`);
  expect(log).toContain('pids: 60\r\n');
  expect(log).toContain('cpu: 50000 100000\r\n');
  expect(log).toContain(`shm: ${48 * mebibyte}\r\n`);
  expect(log).toContain('files: 512\r\n');
});

test('a task that wants more memory or processes than it may have does not get them', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, { limits: { memory: 96 * mebibyte, pids: 30 } });
  const greedy = await deployment.createTask({
    // The variable takes the memory of the shell itself, which is the container's first process.
    command: ['bash', '-c', 'echo begun; all=$(head --bytes=300M /dev/zero | tr "\\0" x); echo done'],
  });
  const forking = await deployment.createTask({
    command: ['bash', '-c', 'for each in {1..50}; do sleep 20 & done; echo done'],
  });
  await Promise.all([greedy, forking].map((taskId) => worker.outcome(taskId)));

  const log = await deployment.taskLog(greedy);
  expect(log).toContain('begun\r\n');
  expect(log).not.toContain('done\r\n');
  expect(log).toContain('[taskcluster:error] The task was killed because it used more memory than it may.');
  expect(await deployment.taskLog(forking)).toContain('Resource temporarily unavailable');
});

test('loopback devices are lent to one task each, all nodes of a card together', async () => {
  await using folder = await makeTempDir();
  await mkdir(join(folder.path, 'snd'));
  // In place of what kernel modules make: nodes of the null device.
  const nodes = [
    'video3',
    'video7',
    ...[0, 1].flatMap((card) => [`snd/controlC${card}`, `snd/pcmC${card}D0p`]),
  ];
  for (const node of nodes) {
    execFileSync('mknod', [join(folder.path, node), 'c', '1', '3']);
  }
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, { deviceManagement: { directory: folder.path } });
  const devices = { loopbackVideo: true, loopbackAudio: true };
  const taskIds = await Promise.all(
    [0, 1].map(() =>
      deployment.createTask(
        {
          capabilities: { devices },
          command: [
            'bash',
            '-c',
            'echo nodes: $(ls /dev/video* /dev/snd/*); echo written > /dev/video?; sleep 2',
          ],
        },
        { scopes: ['docker-worker:capability:device:*'] },
      ),
    ),
  );
  const outcomes = await Promise.all(taskIds.map((taskId) => worker.outcome(taskId)));

  expect(outcomes.map(({ resolution }) => resolution.kind)).toEqual(['completed', 'completed']);
  const logs = await Promise.all(taskIds.map((taskId) => deployment.taskLog(taskId)));
  expect(logs.map((log) => /nodes: (.*)\r\n/.exec(log)?.[1]).sort()).toEqual([
    '/dev/snd/controlC0 /dev/snd/pcmC0D0p /dev/video3',
    '/dev/snd/controlC1 /dev/snd/pcmC1D0p /dev/video7',
  ]);
  expect(worker.log()).toContain('Adjusted Host Capacity: 2');
});

test('a privileged task may do what another may not', async () => {
  await using engine = await ThrowawayEngine.start('docker-worker/example-task', { allCapabilities: true });
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const config = await writeConfig(folder.path, deployment, {
    warm: { units: 0 },
    dockerConfig: { allowPrivileged: true },
  });
  await using worker = new Command(['start', '--config', config], { env: { DOCKER_HOST: engine.host } });
  const command = ['sh', '-c', 'mount -t tmpfs none /mnt && echo mounted'];
  const scopes = ['docker-worker:capability:privileged:test/e2e'];
  const privileged = await deployment.createTask({ command, capabilities: { privileged: true } }, { scopes });
  const other = await deployment.createTask({ command }, { scopes });

  await worker.printed(new RegExp(`"taskId":"${privileged}".*"resolution":"completed"`));
  await worker.printed(new RegExp(`"taskId":"${other}".*"resolution":"failed"`));
  expect(await deployment.taskLog(privileged)).toContain('mounted\r\n');
  expect(await deployment.taskLog(other)).toContain('permission denied');
});

test('a process that is killed for its memory is no failure of a task that goes on without it, and its terminal has a size', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, { limits: { memory: 96 * mebibyte } });
  const taskId = await deployment.createTask({
    command: [
      'bash',
      '-c',
      '(all=$(head --bytes=300M /dev/zero | tr "\\0" x)); sleep 1; echo size: $(stty size); printf "no line feed"',
    ],
  });

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });

  const log = await deployment.taskLog(taskId);
  expect(log).toContain('size: 24 80\r\n');
  expect(log).toMatch(/no line feed\n\[taskcluster [^\]]+\] === Task Finished ===\n/);
  expect(log).not.toContain('[taskcluster:error]');
  expect(log).toMatch(
    /\[taskcluster [^\]]+\] A process of the task was killed because the task used more memory than it may\./,
  );
});

test('a bomb of processes ends with its maxRunTime, and neither the worker nor a task beside it waits for it', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, { warm: { units: 1 } });
  const bomb = await deployment.createTask({
    maxRunTime: 4,
    // Two for one, without an end; each that cannot have another tries again.
    command: ['bash', '-c', 'echo begun; bomb() { while :; do bomb & done; }; bomb 2>/dev/null'],
  });
  await logShows(await worker.run(bomb), 'begun');
  const beside = await deployment.createTask({ maxRunTime: 60, command: ['true'] });

  const { resolution } = await worker.outcome(bomb);

  expect(resolution).toEqual({ kind: 'failed' });
  expect(await worker.outcome(beside)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });
  expect(await deployment.taskLog(bomb)).toContain('Task timeout after 4 seconds');
});
