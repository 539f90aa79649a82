import { startDaemon } from './daemon.ts';
import { engineInRoom, ordinaryEnvironment } from './engine-in-room.ts';
import type { TestEngine } from './test-engine.ts';

/** This machine's Docker Engine as its rootless script starts it, for an ordinary user. */
export async function rootlessDocker(): Promise<TestEngine> {
  const socket = `${ordinaryEnvironment.XDG_RUNTIME_DIR}/docker.sock`;
  return await engineInRoom({ socket, as: 'ordinary user' }, (room) =>
    startDaemon(room, ['/usr/share/docker.io/contrib/dockerd-rootless.sh'], {
      env: ordinaryEnvironment,
      as: 'ordinary user',
    }),
  );
}
