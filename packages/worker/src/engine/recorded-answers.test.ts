import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { removeContainer } from '../containers/remove-container.ts';
import { createRunNetwork, removeNetwork } from '../containers/run-network.ts';
import { sendToEngine } from '../images/send-to-engine.ts';
import { isHostFault } from '../run/host-fault.ts';
import { ContainerDeaths } from './container-deaths.ts';
import { engineMessage } from './engine.ts';
import { ensureImage, localImage } from './ensure-image.ts';
import { connectStandIn } from './testing/connect-stand-in.ts';
import { dockerFacts } from './testing/docker-facts.ts';
import { connectRecorded, recordedEngines } from './testing/recorded-engines.ts';

const facts = {
  'docker-rootful': { name: 'Docker Engine 20.10.24+dfsg1', api: '1.41', rootless: false, isLimited: true },
  'docker-rootless': { name: 'Docker Engine 20.10.24+dfsg1', api: '1.41', rootless: true, isLimited: false },
  'docker-newest': { name: 'Docker Engine 28.5.2+dfsg4', api: '1.44', rootless: false, isLimited: true },
  'podman-rootful': { name: 'Podman Engine 4.3.1', api: '1.41', rootless: false, isLimited: true },
  'podman-rootless': { name: 'Podman Engine 4.3.1', api: '1.41', rootless: true, isLimited: false },
};

const owner = { worker: 'a-worker', taskRun: 'a-task/0' };

describe.each(recordedEngines)('of $name', (recordedEngine) => {
  const { name, recorded, answer } = recordedEngine;

  test('its capabilities are known', async () => {
    await using connected = await connectRecorded(recordedEngine);
    const { isLimited, ...others } = facts[name];

    expect(connected.engine.capabilities).toMatchObject({
      ...others,
      limits: { memory: isLimited, cpu: isLimited, cpuset: isLimited, pids: isLimited },
      appArmor: false,
    });
  });

  test('the death of a container is told by its event, with its exit code', async () => {
    const lines = recorded['events that are asked for'].map((event) => `${JSON.stringify(event)}\n`);
    const deaths = new ContainerDeaths(Readable.from(lines));
    using watch = deaths.watch(recorded.inspected.Id);

    expect(await watch.died).toEqual({ exitCode: 3, outOfMemory: false });
  });

  test('a container that has exited has the same exit code by whom it is told', async () => {
    await using connected = await connectRecorded(recordedEngine, recorded.waited, {
      status: 200,
      body: recorded.inspected,
    });
    const container = connected.engine.docker.getContainer('a-container');

    expect(await container.wait()).toMatchObject({ StatusCode: 3 });
    expect((await container.inspect()).State).toMatchObject({
      Running: false,
      ExitCode: 3,
      OOMKilled: false,
    });
  });

  test('a subnet that is taken makes way for the next', async () => {
    const made = { status: 201, body: { Id: 'a-network' } };
    await using connected = await connectRecorded(recordedEngine, answer('network that overlaps'), made);

    const network = await createRunNetwork(connected.engine.docker, owner, '172.29.0.0/16');

    expect(network.id).toBe('a-network');
    expect(connected.asked.filter((target) => target.includes('/networks/create'))).toHaveLength(2);
  });

  test('what is gone already is removed', async () => {
    await using container = await connectRecorded(recordedEngine, answer('removal of an absent container'));
    await using network = await connectRecorded(recordedEngine, answer('absent network'));

    await removeContainer(container.engine.docker, 'a-container');
    await removeNetwork(network.engine.docker, 'a-network');
  });

  test('an image that it lacks is known for that', async () => {
    await using connected = await connectRecorded(recordedEngine, answer('absent image'));

    expect(await localImage(connected.engine.docker, 'absent')).toBeUndefined();
  });

  test('a registry that is away is one to try again', async () => {
    const refused = answer('pull from a registry that is not there');
    await using connected = await connectRecorded(recordedEngine, answer('absent image'), refused);

    await expect(ensureImage(connected.engine.docker, '127.0.0.1:9/recorded')).rejects.toMatchObject({
      message: expect.stringMatching(/"127\.0\.0\.1:9\/recorded" could not be pulled: .*connection refused/),
      forGood: false,
    });
  });

  test('something that is no archive of an image is told as such, without folders of the engine', async () => {
    await using connected = await connectRecorded(recordedEngine, answer('invalid archive'));
    const sending = sendToEngine(
      connected.engine.docker,
      Readable.from(['no archive']),
      new AbortController().signal,
    );

    await expect(sending).rejects.toMatchObject({
      name: 'InvalidArchive',
      message: expect.stringContaining('invalid tar header'),
    });
    await expect(sending).rejects.not.toThrow('/var/tmp/');
  });

  const refusals = [
    'start of an absent command',
    'attach to an absent command',
    'container of an absent image',
  ].filter((request) => answer(request).status >= 400);

  test.each(refusals)('%s is no fault of the host', async (request) => {
    await using connected = await connectRecorded(recordedEngine, answer(request));
    const error = await connected.engine.docker
      .getContainer('a-container')
      .start()
      .catch((reason: unknown) => reason);

    expect(isHostFault(error)).toBe(false);
    expect(engineMessage(error)).toMatch(/absent-command": executable file not found|no such image/i);
  });
});

test('an engine that refuses versions below 1.44 is spoken to in that one', async () => {
  const facts = {
    ...dockerFacts,
    version: { ...dockerFacts.version, ApiVersion: '1.52', MinAPIVersion: '1.44' },
  };
  await using connected = await connectStandIn(
    (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      if (request.url?.includes('/events')) response.flushHeaders();
      else response.end('[]');
    },
    { facts },
  );
  const { docker } = connected.engine;

  expect(await docker.listContainers()).toEqual([]);
  Object.assign(docker.modem, { version: 'v1.43' });
  await expect(docker.listContainers()).rejects.toThrow(
    'client version 1.43 is too old. Minimum supported API version is 1.44',
  );
});
