import { startDaemon } from './daemon.ts';
import { engineInRoom } from './engine-in-room.ts';
import type { TestEngine } from './test-engine.ts';

/** This machine's Docker Engine, with root's powers. */
export async function rootfulDocker(): Promise<TestEngine> {
  return await engineInRoom({ socket: '/run/docker.sock' }, (room) =>
    startDaemon(room, ['dockerd', '--host=unix:///run/docker.sock']),
  );
}
