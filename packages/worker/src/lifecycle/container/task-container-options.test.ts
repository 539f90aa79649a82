import { expect, test } from '@jest/globals';
import { testConfig } from '../../config-file/testing/worker-config.ts';
import { capabilitiesForTest } from '../../engine/testing/capabilities.ts';
import type { Contribution } from '../../features/feature.ts';
import { payloadSchemaFor } from '../../features/payload-schema.ts';
import type { Run } from '../../run/run.ts';
import { taskContainerOptions } from './task-container-options.ts';

test('the container is made from the image id, with a terminal and without input', () => {
  expect(options({})).toMatchObject({
    Image: 'sha256:1234',
    Tty: true,
    AttachStdin: false,
    OpenStdin: false,
    AttachStdout: true,
    AttachStderr: true,
  });
});

test("the command is the payload's", () => {
  expect(options({ command: ['/bin/sh', '-c', 'exit 3'] }).Cmd).toEqual(['/bin/sh', '-c', 'exit 3']);
});

test.each(['Entrypoint', 'User', 'Hostname', 'WorkingDir'])("%s is the image's own", (key) => {
  expect(options({})).not.toHaveProperty(key);
});

test("the task is on its run's network and on no other", () => {
  const { HostConfig, NetworkingConfig } = options({});

  expect(HostConfig?.NetworkMode).toBe('network-1');
  expect(NetworkingConfig).toBeUndefined();
});

test('browsers have 1.8 GB of shared memory, and localhost.localdomain resolves as what its network needs does', () => {
  expect(options({}).HostConfig).toMatchObject({
    ShmSize: 1_800_000_000,
    ExtraHosts: ['localhost.localdomain:127.0.0.1', 'a:1.2.3.4'],
  });
});

test('a task has no privileges unless a feature contributes them', () => {
  const { HostConfig } = options({ capabilities: { privileged: true } });

  expect(HostConfig?.Privileged ?? false).toBe(false);
  expect(HostConfig).toMatchObject({ Binds: [], CapAdd: [], SecurityOpt: [], Devices: [] });
});

test('what features contribute is put together', () => {
  const device = { PathOnHost: '/dev/kvm', PathInContainer: '/dev/kvm', CgroupPermissions: 'rwm' };

  const { HostConfig, Env } = options({ env: { B: 'payload' } }, [
    { env: { A: '1' }, hostConfig: { Binds: ['/a:/a'], CapAdd: ['SYS_PTRACE'] } },
    {},
    { env: { B: '2' }, hostConfig: { Binds: ['/b:/b:ro'], Devices: [device] } },
  ]);

  expect(HostConfig).toMatchObject({
    Binds: ['/a:/a', '/b:/b:ro'],
    CapAdd: ['SYS_PTRACE'],
    Devices: [device],
  });
  expect(Env).toEqual(expect.arrayContaining(['A=1', 'B=payload']));
});

function options(payload: object, contributions: Contribution[] = []) {
  const run = {
    taskId: 'abc',
    runId: 0,
    host: { config: testConfig(), engine: { capabilities: capabilitiesForTest() } },
  } as Run;
  const parsed = payloadSchemaFor().parse({ image: 'busybox', maxRunTime: 10, ...payload });
  return taskContainerOptions(
    run,
    parsed,
    'sha256:1234',
    { network: 'network-1', extraHosts: ['a:1.2.3.4'] },
    contributions,
  );
}
