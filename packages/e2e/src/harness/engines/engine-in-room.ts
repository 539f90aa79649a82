import { type EngineRoom, ordinaryUser, type RoomOptions, EngineRoom as Room, workerInRoom } from './engine-room.ts';
import type { TestEngine } from './test-engine.ts';

export interface EngineInRoom {
  /** Of the socket, in the room. */
  socket: string;
  as?: 'ordinary user';
  room?: RoomOptions;
}

/** An engine on the machine of its user, which is a room. */
export async function engineInRoom(
  { socket, as, room: options }: EngineInRoom,
  start: (room: EngineRoom) => Promise<void>,
): Promise<TestEngine> {
  await using starting = new AsyncDisposableStack();
  const room = starting.use(await Room.open(options));
  await start(room);
  const owned = starting.move();
  return {
    command: (program, args) => room.command(program, args, { as }),
    env: { ...(as ? ordinaryEnvironment : {}), DOCKER_HOST: `unix://${socket}` },
    worker: workerInRoom,
    outside: (path) => room.outside(path),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export const ordinaryEnvironment = {
  HOME: ordinaryUser.home,
  USER: ordinaryUser.name,
  XDG_RUNTIME_DIR: `/run/user/${ordinaryUser.id}`,
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
};
