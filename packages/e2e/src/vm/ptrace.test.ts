import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { profileText } from '@docker-worker/worker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeTempDir } from '../harness/temp-dir.ts';
import { debianDisk, debianTar, fileSystem } from './debian-disk.ts';
import { machineSuite, patienceMs } from './machine-suite.ts';
import { VirtualMachine } from './virtual-machine.ts';

const repository = join(import.meta.dirname, '../../../..');

machineSuite('in a virtual machine whose kernel has AppArmor', () => {
  const resources = new AsyncDisposableStack();
  let vm: VirtualMachine;

  beforeAll(async () => {
    const [disk, taskImage] = await Promise.all([
      debianDisk({
        packages: ['docker.io', 'iptables', 'apparmor', 'ca-certificates', 'strace'],
        units: ['docker.service'],
      }),
      debianTar(['procps', 'strace', 'gdb-minimal']),
    ]);
    const folder = resources.use(await makeTempDir());
    const content = join(folder.path, 'content');
    await mkdir(content);
    await Promise.all([
      cp(taskImage, join(content, 'task.tar')),
      cp(process.execPath, join(content, 'node')),
      cp(join(repository, 'packages/worker/dist'), join(content, 'dist'), { recursive: true }),
      cp(join(repository, 'packages/worker/package.json'), join(content, 'package.json')),
      cp(join(repository, 'examples/ptrace.yml'), join(content, 'ptrace.yml')),
      ...Object.entries(taskFiles()).map(([name, tasks]) =>
        writeFile(join(content, name), tasks.map((task) => JSON.stringify(task)).join('\n---\n')),
      ),
    ]);
    const file = join(folder.path, 'content.ext4');
    await fileSystem(file, content, 1024);
    vm = resources.use(await VirtualMachine.boot({ ...disk, disks: [file] }));
    await vm.succeed('mount /dev/vdb /mnt && docker import /mnt/task.tar docker-worker/example-task');
    await vm.succeed(
      'printf \'#!/bin/sh\\nexec /mnt/node /mnt/dist/main.js "$@"\\n\' > /usr/local/bin/docker-worker',
    );
    await vm.succeed('chmod +x /usr/local/bin/docker-worker');
  }, patienceMs);
  afterAll(() => resources.disposeAsync());

  test('it is such a machine', async () => {
    expect(await vm.succeed('cat /sys/module/apparmor/parameters/enabled')).toBe('Y\n');
    expect(await vm.succeed('docker info --format "{{.SecurityOptions}}"')).toContain('name=apparmor');
  });

  test(
    'with the feature a task traces its child and its sibling, with strace and with gdb',
    async () => {
      await yama(0);

      const { code, stdout } = await vm.run('docker-worker run-task /mnt/ptrace.yml');

      expect(stdout).toContain('traced the child');
      expect(stdout).toContain('traced the sibling');
      expect(stdout).toMatch(/^process \d+/m);
      expect(code).toBe(0);
      expect(await ptraceProfiles()).toEqual([]);
    },
    patienceMs,
  );

  test(
    'without the feature the sibling is out of reach where yama protects it',
    async () => {
      await yama(1);

      const { code, stdout } = await vm.run('docker-worker run-task /mnt/without.yml');

      expect(stdout).toMatch(/strace: attach: ptrace\(PTRACE_SEIZE, \d+\): Operation not permitted/);
      expect(code).toBe(1);
    },
    patienceMs,
  );

  test(
    'with the capability that the configuration gives, yama is no obstacle',
    async () => {
      await yama(1);
      await vm.succeed('cat > /tmp/config.json', JSON.stringify({ allowPtrace: { capability: true } }));

      const { code, stdout } = await vm.run('docker-worker run-task /mnt/with.yml --config /tmp/config.json');

      expect(stdout).toContain('exited with 0');
      expect(code).toBe(0);
    },
    patienceMs,
  );

  test(
    'a profile that lacks the rule forbids what the feature allows',
    async () => {
      await yama(0);
      const lacking = profileText('lacking').replace(/^ {2}ptrace .*$/m, '');
      await vm.succeed('apparmor_parser --skip-cache --replace', lacking);

      const { stdout, stderr } = await vm.run(
        `docker run --rm --security-opt apparmor=lacking docker-worker/example-task bash -c ${quoted(traceSibling)}`,
      );

      expect(stdout + stderr).toMatch(/ptrace\(PTRACE_\w+, \d+\): Permission denied/);
    },
    patienceMs,
  );

  test(
    'no process of another task can be traced, even where it can be seen',
    async () => {
      await yama(0);
      const running = vm.run('docker-worker run-task /mnt/two.yml');
      await vm.succeed('until [ "$(docker ps --quiet | wc -l)" = 2 ]; do sleep 0.2; done');
      const [one = '', other = ''] = (await vm.succeed('docker ps --quiet')).trim().split('\n');
      const profileOf = async (id: string) =>
        (await vm.succeed(`docker inspect --format '{{.AppArmorProfile}}' ${id}`)).trim();
      const traceFrom = async (profile: string) => {
        const { stdout, stderr } = await vm.run(
          `docker run --rm --pid=container:${one} --security-opt apparmor=${profile} docker-worker/example-task ` +
            'timeout 20 strace --attach=1',
        );
        return stdout + stderr;
      };

      const [ownProfile, otherProfile] = [await profileOf(one), await profileOf(other)];
      const attempts = [await traceFrom(otherProfile), await traceFrom(ownProfile)];
      await vm.succeed(`docker exec ${one} touch /over && docker exec ${other} touch /over`);

      expect(ownProfile).toMatch(/^docker-worker-ptrace\./);
      expect(otherProfile).not.toBe(ownProfile);
      expect(attempts[0]).toMatch(/ptrace\(PTRACE_\w+, 1\): Permission denied/);
      expect(attempts[1]).toContain('Process 1 attached');
      expect((await running).code).toBe(0);
      expect(await ptraceProfiles()).toEqual([]);
    },
    patienceMs,
  );

  test(
    'what a killed worker leaves in the kernel is removed by the next',
    async () => {
      const running = vm.run('docker-worker run-task /mnt/two.yml');
      await vm.succeed('until [ "$(docker ps --quiet | wc -l)" = 2 ]; do sleep 0.2; done');
      await vm.succeed('pkill -KILL -f /mnt/dist/main.js');
      await running;
      expect(await ptraceProfiles()).toHaveLength(2);

      expect(await vm.succeed('docker-worker sweep')).toContain('2 AppArmor profiles');
      expect(await ptraceProfiles()).toEqual([]);
    },
    patienceMs,
  );

  async function yama(scope: number): Promise<void> {
    await vm.succeed(`sysctl -w kernel.yama.ptrace_scope=${scope}`);
  }

  async function ptraceProfiles(): Promise<string[]> {
    const list = await vm.succeed('cat /sys/kernel/security/apparmor/profiles');
    return list.split('\n').filter((line) => line.startsWith('docker-worker-ptrace'));
  }
});

const traceSibling =
  'sleep 20 & sibling=$!; strace --attach=$sibling 2>&1 | tee /tmp/trace; grep -q "exited with 0" /tmp/trace';

function taskFiles(): Record<string, object[]> {
  const payload = { image: 'docker-worker/example-task', maxRunTime: 3600 };
  const scopes = ['docker-worker:feature:allowPtrace'];
  const features = { allowPtrace: true };
  const command = ['bash', '-c', traceSibling];
  const waiting = ['bash', '-c', 'until [ -e /over ]; do sleep 0.2; done'];
  return {
    'with.yml': [{ scopes, payload: { ...payload, features, command } }],
    'without.yml': [{ payload: { ...payload, command } }],
    'two.yml': ['one', 'other'].map((name) => ({
      metadata: { name },
      scopes,
      payload: { ...payload, features, command: waiting },
    })),
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
