import { join } from 'node:path';
import { createRunVolume } from '../containers/run-volume.ts';
import { seesFolder } from '../containers/shared-paths.ts';
import type { Engine } from '../engine/engine.ts';
import { removedOrLost } from '../engine/engine-lost.ts';
import type { Owner } from '../ownership/labels.ts';
import { connectTo } from '../taskcluster-access/door.ts';
import { startRelayContainer } from '../taskcluster-access/relay.ts';
import { makeSharedFolder } from './shared-folder.ts';

/** The only socket in such a folder. */
export const socketName = 'engine.sock';

/** Through which a service reaches what the worker listens for. */
export interface SocketFolder extends AsyncDisposable {
  /** On this host, where the worker makes the socket. */
  path: string;
  /** As Docker takes a mount. */
  bind: string;
}

export interface SocketFolderOptions {
  owner: Owner;
  stateDirectory: string;
  /** The service's, for a relay to the socket where the engine does not see the folder. */
  image: string;
  /** Where the service finds it. */
  target: string;
}

export async function makeSocketFolder(
  engine: Engine,
  { owner, stateDirectory, image, target }: SocketFolderOptions,
): Promise<SocketFolder> {
  await using resources = new AsyncDisposableStack();
  const { path } = resources.use(await makeSharedFolder(stateDirectory));
  let source = path;
  if (!(await seesFolder(engine, owner.worker, stateDirectory))) {
    const volume = await createRunVolume(engine.docker, owner, 'sockets');
    resources.defer(() => removedOrLost(engine, () => volume[Symbol.asyncDispose]()));
    source = volume.name;
    resources.use(
      await startRelayContainer({
        ...{ engine, owner, image, at: `/sockets/${socketName}` },
        onConnection: (stream) => connectTo(stream, { path: join(path, socketName) }),
        onEnd() {},
        hostConfig: { NetworkMode: 'none', Binds: [`${source}:/sockets`] },
        // To whom a new volume belongs.
        user: '0:0',
      }),
    );
  }
  const owned = resources.move();
  return { path, bind: `${source}:${target}:ro`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
