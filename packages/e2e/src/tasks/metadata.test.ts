import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Command, main } from '../harness/command.ts';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import {
  agentAddress,
  metadataAddresses,
  metadataAddressV6,
  startMetadataService,
} from '../harness/metadata-service.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { hostAddress, ThrowawayEngine } from '../harness/throwaway-engine.ts';
import { writeConfig } from '../harness/write-config.ts';

const run = promisify(execFile);
const taskImage = 'docker-worker/example-task';
const sidecarImage = 'docker-worker/tc-proxy:0.1.0';
const workerImage = 'docker-worker/worker:0.1.0';
const range = '10.214.0.0/20';
let engine: ThrowawayEngine;
const resources = new AsyncDisposableStack();

beforeAll(async () => {
  engine = await ThrowawayEngine.startConnected(taskImage, sidecarImage, workerImage);
  resources.use(engine);
  resources.use(await startMetadataService(engine.namespace));
}, 120_000);
afterAll(() => resources.disposeAsync());

const all = [...metadataAddresses, agentAddress];

test('a worker process keeps its tasks from metadata services, and the rule is there for as long as tasks may run', async () => {
  await using deployment = await startDeployment({ host: hostAddress });
  await using folder = await makeTempDir();
  const open = await inNamespace(folder.path, deployment, { metadata: 'allow' });
  const closed = await inNamespace(folder.path, deployment, {});

  await using careless = open('start');
  expect(await reached(deployment, careless)).toEqual([...all, 'name server']);
  await stop(careless);
  await using first = closed('start');
  expect(await reached(deployment, first)).toEqual(['name server']);
  await first.printed(/tasks are kept from metadata services/);
  const [killedTable = 'none'] = await tables();
  first.kill('SIGKILL');
  await first.exited;
  expect(await tables()).toEqual([killedTable]);
  await using next = closed('start');
  expect(await reached(deployment, next)).toEqual(['name server']);
  expect(await tables()).toHaveLength(1);
  expect(await tables()).not.toContain(killedTable);
  await using check = closed('check');
  await check.exited;
  expect(check.stdout).toContain(
    `note: tasks, in ${range}, are kept from the metadata service of the cloud\n`,
  );
  expect(await tables()).toHaveLength(1);
  await stop(next);
  expect(await tables()).toEqual([]);
});

test('a worker in a container does so, with the engine for its only right', async () => {
  await using deployment = await startDeployment({ host: hostAddress });
  await using folder = await makeTempDir();
  const settings = {
    ...statesIn(folder.path),
    network: { subnets: range },
    metadata: 'require',
    warm: { units: 0 },
  };
  const config = await writeConfig(folder.path, deployment, settings);
  const volumes = [
    `${engine.host.replace('unix://', '')}:/var/run/docker.sock`,
    `${folder.path}:${folder.path}`,
  ];
  await using worker = new Command(
    [
      ...['--host', engine.host, 'run', '--rm', '--network', 'host', '--pid', 'host'],
      ...volumes.flatMap((volume) => ['--volume', volume]),
      ...[workerImage, 'start', '--config', config],
    ],
    { program: 'docker' },
  );

  expect(await reached(deployment, worker)).toEqual(['name server']);
  await worker.printed(/tasks are kept from metadata services/);
  await stop(worker);
  expect(await tables()).toEqual([]);
});

test('containers of the worker with IPv6 do not reach those addresses either', async () => {
  await using deployment = await startDeployment({ host: hostAddress });
  await using folder = await makeTempDir();
  await engine.docker('network', 'create', '--ipv6', '--subnet', 'fd78::/64', 'six');
  const attempt = () =>
    engine.docker(
      'run',
      '--rm',
      '--network',
      'six',
      taskImage,
      'curl',
      '--silent',
      '--max-time',
      '3',
      `http://[${metadataAddressV6}]/`,
    );
  expect(await attempt()).toBe('credentials of the machine');

  await using worker = (await inNamespace(folder.path, deployment, { metadata: 'require' }))('start');
  await worker.printed(/kept from metadata services/);

  await expect(attempt()).rejects.toMatchObject({ code: 7 });
});

test.each([
  [
    'on an engine elsewhere',
    (command: string[]) => command,
    /not on this host, or in another network namespace/,
  ],
  [
    'without the right',
    (command: string[]) => ['capsh', '--drop=cap_net_admin', '--', '-c', 'exec "$@"', 'sh', ...command],
    /may not change the rules of the host: run the worker as root/,
  ],
])('%s it says that it cannot, and does not claim if it must', async (_, wrapped, reason) => {
  await using deployment = await startDeployment({ host: hostAddress });
  await using folder = await makeTempDir();
  const command = async (name: string, metadata: string) => {
    const config = await writeConfig(folder.path, deployment, {
      metadata,
      warm: { units: 0 },
      ...statesIn(folder.path),
    });
    const [program = '', ...args] = wrapped([process.execPath, main, name, '--config', config]);
    return new Command(args, { program, env: { DOCKER_HOST: engine.host } });
  };

  await using refusing = await command('start', 'require');
  expect(await refusing.exited).toBe(125);
  expect(refusing.stderr).toMatch(reason);
  expect(refusing.stderr).toContain('"metadata" requires that they cannot.');
  await using check = await command('check', 'require');
  expect(await check.exited).toBe(1);
  expect(check.stdout).toMatch(/problem: Tasks can reach the metadata service of the cloud: /);
  await using warned = await command('check', 'block');
  await warned.exited;
  expect(warned.stdout).toMatch(/warning: Tasks can reach the metadata service of the cloud: /);
  await using telling = await command('start', 'block');
  const taskId = await deployment.createTask({ command: ['true'] });
  await telling.printed(/\[alert-operator\] tasks can reach the metadata service of the cloud/);
  await telling.printed(new RegExp(`"taskId":"${taskId}".*"resolution":"completed"`));
});

/** Commands of a worker that runs where the engine does. */
async function inNamespace(
  folder: string,
  deployment: Deployment,
  settings: object,
): Promise<(command: string) => Command> {
  const file = await writeConfig(folder, deployment, {
    ...statesIn(folder),
    network: { subnets: range },
    warm: { units: 0 },
    ...settings,
  });
  const config = `${file}.${Object.values(settings)[0] ?? 'usual'}.json`;
  await run('mv', [file, config]);
  return (command) =>
    new Command(
      [`--net=/run/netns/${engine.namespace}`, process.execPath, main, command, '--config', config],
      { program: 'nsenter', env: { DOCKER_HOST: engine.host } },
    );
}

function statesIn(folder: string): object {
  return { stateDirectory: join(folder, 'state'), cache: { volumeCachePath: join(folder, 'caches') } };
}

/** What a task of that worker gets to, of all that it tries. */
async function reached(deployment: Deployment, worker: Command): Promise<string[]> {
  const attempts = [
    ...all.map((address) => [address, `${address}:80`]),
    ['name server', '169.254.169.254:53'],
  ];
  const taskId = await deployment.createTask({
    command: [
      'bash',
      '-c',
      attempts
        .map(([name, place]) => `curl --silent --max-time 3 http://${place}/ | sed 's/^/reached ${name}: /'`)
        .join('\n'),
    ],
  });
  await worker.printed(new RegExp(`"taskId":"${taskId}".*"resolution":"completed"`));
  const log = await deployment.taskLog(taskId);
  return [...log.matchAll(/reached (.*): credentials of the machine/g)].map(([, name = '']) => name);
}

async function tables(): Promise<string[]> {
  const { stdout } = await run('nsenter', [`--net=/run/netns/${engine.namespace}`, 'nft', 'list', 'tables']);
  return stdout.split('\n').filter((line) => line.includes('docker-worker'));
}

async function stop(worker: Command): Promise<void> {
  worker.kill('SIGTERM');
  await worker.exited;
}
