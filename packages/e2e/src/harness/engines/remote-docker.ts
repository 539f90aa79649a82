import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { main } from '../command.ts';
import { makeTempDir } from '../temp-dir.ts';
import { startDaemon } from './daemon.ts';
import { EngineRoom, ordinaryUser } from './engine-room.ts';
import { sshLogin } from './ssh-login.ts';
import type { TestEngine } from './test-engine.ts';

const run = promisify(execFile);
const socket = 'unix:///run/docker.sock';
const [ours, theirs] = ['10.213.78.1', '10.213.78.2'];

/** A Docker Engine on another machine, reached with certificates of both sides. */
export async function dockerByTls(): Promise<TestEngine> {
  return await remote(async (room, certificates, starting) => {
    starting.use(await connect(room));
    const { key, cert } = selfSigned(`IP:${theirs}`);
    await mkdir(certificates);
    // The one certificate vouches for both sides, and for itself.
    await Promise.all(
      Object.entries({ 'ca.pem': cert, 'cert.pem': cert, 'key.pem': key }).flatMap(([name, content]) => [
        writeFile(join(certificates, name), content),
        writeFile(room.outside(`/tmp/${name}`), content),
      ]),
    );
    const tls = [
      '--tlsverify',
      '--tlscacert=/tmp/ca.pem',
      '--tlscert=/tmp/cert.pem',
      '--tlskey=/tmp/key.pem',
    ];
    await startDaemon(room, ['dockerd', `--host=${socket}`, `--host=tcp://${theirs}:2376`, ...tls]);
    return {
      DOCKER_HOST: `tcp://${theirs}:2376`,
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: certificates,
    };
  });
}

/** A Docker Engine on another machine, reached by the login of an ordinary user who may use it. */
export async function dockerBySsh(): Promise<TestEngine> {
  return await remote(async (room, folder, starting) => {
    starting.use(await connect(room));
    await startDaemon(room, ['dockerd', `--host=${socket}`, `--group=${ordinaryUser.name}`]);
    await mkdir(folder);
    return await sshLogin(room, folder, theirs);
  });
}

async function remote(
  start: (
    room: EngineRoom,
    folder: string,
    starting: AsyncDisposableStack,
  ) => Promise<Record<string, string>>,
): Promise<TestEngine> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await makeTempDir());
  const room = starting.use(await EngineRoom.open());
  const env = await start(room, join(folder.path, 'access'), starting);
  const owned = starting.move();
  return {
    worker: [process.execPath, [main]],
    env,
    outside: (path) => path,
    docker: (args) => room.command(['docker', '--host', socket, ...args]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A cable between this machine and the room's. The room's end goes with it, and takes ours with it. */
async function connect(room: EngineRoom): Promise<AsyncDisposable> {
  const outside = `dwe${process.pid}`;
  const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', String(room.pid)];
  await run('ip', ['link', 'add', outside, ...peer]);
  await run('ip', ['address', 'add', `${ours}/30`, 'dev', outside]);
  await run('ip', ['link', 'set', outside, 'up']);
  await run(...room.command(['ip', 'address', 'add', `${theirs}/30`, 'dev', 'eth0']));
  await run(...room.command(['ip', 'link', 'set', 'eth0', 'up']));
  // At once: the namespace of a room that has ended may live on for a moment.
  return {
    async [Symbol.asyncDispose]() {
      await run('ip', ['link', 'delete', outside]);
    },
  };
}
