import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { testConfig } from '../config-file/testing/worker-config.ts';
import type { EngineCapabilities } from '../engine/capabilities.ts';
import { capabilitiesForTest } from '../engine/testing/capabilities.ts';
import { connectStandIn } from '../engine/testing/connect-stand-in.ts';
import { examine } from './examine.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dev-'));
  await writeFile(join(folder, 'kvm'), '');
});

afterAll(() => rm(folder, { recursive: true }));

const kvm = { capabilities: { devices: { kvm: true } } };
const ptrace = { features: { allowPtrace: true } };

test.each([
  [
    'a device, rootless',
    kvm,
    { rootless: true },
    'kvm is not available: the Docker Engine 20.10.24 is rootless',
  ],
  [
    'a device of elsewhere',
    kvm,
    { sharesKernel: false },
    'kvm is not available: the Docker Engine 20.10.24 is on another machine',
  ],
  [
    'ptrace without AppArmor',
    ptrace,
    { appArmor: false },
    'payload.features.allowPtrace: allowPtrace is not available on this worker: the Docker Engine 20.10.24 runs without AppArmor',
  ],
  [
    'ptrace elsewhere',
    ptrace,
    { sharesKernel: false },
    'is on another machine, which knows no profile of this worker',
  ],
])('%s is refused before anything is made', async (_, payload, capabilities, message) => {
  expect(await refusal(payload, capabilities)).toContain(message);
});

test('a device that the engine can give is no problem', async () => {
  expect(await refusal(kvm, {})).toBe('');
});

test('a shell is refused on an engine that does not see the folder through which it comes', async () => {
  await using standIn = await connectStandIn((request, response) => {
    if (request.url?.startsWith('/events')) {
      response.writeHead(200).flushHeaders();
    } else if (request.url?.startsWith('/images/json')) {
      response.setHeader('content-type', 'application/json').end('[{"Id":"image"}]');
    } else if (request.method !== 'POST') {
      response.end('OK');
    } else {
      void text(request).then((body) => {
        const path = /"Source":"([^"]+)"/.exec(body)?.[1];
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ message: `bind source path does not exist: ${path}` }));
      });
    }
  });

  const told = await refusal(
    { features: { interactive: true } },
    { sharesFiles: false },
    standIn.engine.docker,
  );

  expect(told).toContain(`does not see its ${folder} ("stateDirectory")`);
});

/** What a task is told that is refused; empty when it is accepted. */
async function refusal(
  payload: object,
  capabilities: Partial<EngineCapabilities>,
  docker = new Docker(),
): Promise<string> {
  const config = testConfig({
    deviceManagement: { directory: folder },
    stateDirectory: folder,
    allowPtrace: { withoutAppArmor: 'refuse' },
  });
  const engine = { docker, capabilities: capabilitiesForTest(capabilities) };
  const task = {
    created: '2030-01-01T00:00:00Z',
    deadline: '2030-01-02T00:00:00Z',
    expires: '2030-01-03T00:00:00Z',
    scopes: ['docker-worker:*'],
    payload: { image: 'busybox', maxRunTime: 10, ...payload },
    metadata: { name: 'a' },
  };
  const examined = await examine(task, { config, engine }, async () => task.scopes);
  return examined.accepted ? '' : examined.messages.join('\n');
}
