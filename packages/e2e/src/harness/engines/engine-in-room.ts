import { EngineRoom, ordinaryUser, type RoomOptions, type Somebody, workerInRoom } from './engine-room.ts';
import type { TestEngine } from './test-engine.ts';

export interface EngineInRoom extends Somebody {
  /** Of the socket, in the room. */
  socket: string;
  room?: RoomOptions;
}

/** An engine on the machine of its user, which is a room. */
export async function engineInRoom(
  { socket, as, room: options }: EngineInRoom,
  start: (room: EngineRoom) => Promise<void>,
): Promise<TestEngine> {
  await using starting = new AsyncDisposableStack();
  const room = starting.use(await EngineRoom.open(options));
  await start(room);
  const owned = starting.move();
  return {
    worker: room.command(workerInRoom, { as }),
    env: { ...(as ? ordinaryEnvironment : {}), DOCKER_HOST: `unix://${socket}` },
    outside: (path) => room.outside(path),
    docker: (args) => room.command(['docker', '--host', `unix://${socket}`, ...args], { as }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export const ordinaryEnvironment = {
  HOME: ordinaryUser.home,
  USER: ordinaryUser.name,
  XDG_RUNTIME_DIR: `/run/user/${ordinaryUser.id}`,
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
};
