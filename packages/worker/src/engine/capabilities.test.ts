import { hostname, release, tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { UserError } from '../user-error.ts';
import { connectStandIn } from './testing/connect-stand-in.ts';
import { dockerFacts } from './testing/docker-facts.ts';

const here = { Name: hostname(), KernelVersion: release(), DockerRootDir: tmpdir() };

test('an engine is asked once for what it can do, and is spoken to in a version that it knows', async () => {
  await using connected = await connected20();

  expect(connected.engine.capabilities).toEqual({
    name: 'Docker Engine 20.10.24+dfsg1',
    address: expect.stringMatching(/^unix:\/.*docker\.sock$/),
    hasSocket: true,
    api: '1.41',
    kernel: '6.1.0-18-amd64',
    rootless: false,
    appArmor: false,
    dataFolder: '/var/lib/docker',
    limits: { memory: true, cpu: true, cpuset: true, pids: true },
    sharesKernel: false,
    sharesFiles: false,
  });
  const { modem } = connected.engine.docker as unknown as { modem: { version: string } };
  expect(modem.version).toBe('v1.41');
});

test.each([
  ['1.24', '1.41', '1.41'],
  ['1.24', '1.43', '1.43'],
  ['1.44', '1.52', '1.44'],
])('of the versions %s to %s it is %s', async (MinAPIVersion, ApiVersion, api) => {
  await using connected = await connected20({ version: { MinAPIVersion, ApiVersion } });

  expect(connected.engine.capabilities.api).toBe(api);
});

test.each([
  ['1.12', '1.40', 'docker-worker needs 1.41, as Docker Engine 20.10 has it: update it.'],
  ['1.45', '1.60', 'this docker-worker knows them up to 1.44: update docker-worker.'],
])('an engine that speaks %s to %s is refused', async (MinAPIVersion, ApiVersion, why) => {
  const refused = connected20({ version: { MinAPIVersion, ApiVersion } });

  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(
    `speaks versions ${MinAPIVersion} to ${ApiVersion} of the API; ${why}`,
  );
});

test('what is not Docker is called by its own name, and a rootless engine is none of this host', async () => {
  await using connected = await connected20({
    version: { Version: '4.3.1', Components: [{ Name: 'Podman Engine', Version: '4.3.1' }] },
    info: { ...here, SecurityOptions: ['name=seccomp,profile=default', 'name=rootless'], PidsLimit: false },
  });

  expect(connected.engine.capabilities).toMatchObject({
    name: 'Podman Engine 4.3.1',
    rootless: true,
    limits: { memory: true, pids: false },
    sharesFiles: false,
  });
});

test('Podman tells in its own way that it is rootless, and of limits that control groups version 1 do not give', async () => {
  await using connected = await connected20({ info: { Rootless: true, CgroupVersion: '1' } });

  expect(connected.engine.capabilities).toMatchObject({
    rootless: true,
    limits: { memory: false, cpu: false, cpuset: false, pids: false },
  });
});

test.each([
  ['on this host', {}, true],
  ['with another name', { Name: 'docker-desktop' }, false],
  ['with another kernel', { KernelVersion: '6.6.0-linuxkit' }, false],
  ['whose folder is not here', { DockerRootDir: '/nowhere' }, false],
])('the files of an engine %s', async (_, info, sharesFiles) => {
  await using connected = await connected20({ info: { ...here, ...info } });

  expect(connected.engine.capabilities.sharesFiles).toBe(sharesFiles);
});

async function connected20({ version = {}, info = {} }: { version?: object; info?: object } = {}) {
  return await connectStandIn((_request, response) => response.writeHead(200).flushHeaders(), {
    facts: { version: { ...dockerFacts.version, ...version }, info: { ...dockerFacts.info, ...info } },
  });
}
