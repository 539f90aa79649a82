import { writeFile } from 'node:fs/promises';
import { startDaemon } from './daemon.ts';
import { engineInRoom, ordinaryEnvironment } from './engine-in-room.ts';
import type { EngineRoom } from './engine-room.ts';
import type { TestEngine } from './test-engine.ts';

export async function rootfulPodman(): Promise<TestEngine> {
  const socket = '/run/podman.sock';
  return await engineInRoom({ socket }, (room) => serve(room, socket, {}));
}

export async function rootlessPodman(): Promise<TestEngine> {
  const socket = `${ordinaryEnvironment.XDG_RUNTIME_DIR}/podman.sock`;
  return await engineInRoom({ socket, as: 'ordinary user' }, (room) =>
    serve(room, socket, { env: ordinaryEnvironment, as: 'ordinary user' }),
  );
}

async function serve(
  room: EngineRoom,
  socket: string,
  { env, as }: { env?: Record<string, string>; as?: 'ordinary user' },
): Promise<void> {
  await writeFile(room.outside('/tmp/containers.conf'), settings);
  await startDaemon(
    room,
    [
      'podman',
      '--storage-driver=overlay',
      '--log-level=info',
      'system',
      'service',
      '--time=0',
      `unix://${socket}`,
    ],
    { env: { ...env, CONTAINERS_CONF: '/tmp/containers.conf' }, as },
  );
}

/** There is no systemd in a room, and root of a nested host may not raise limits. */
const settings = `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`;
