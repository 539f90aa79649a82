import { programsForContainers } from '@docker-worker/exec-ws-server/sidecar';
import { attachHeld, type HeldStreams, heldOpen } from '../../containers/held-open.ts';
import { removeContainer } from '../../containers/remove-container.ts';
import { createRunVolume } from '../../containers/run-volume.ts';
import type { Engine } from '../../engine/engine.ts';
import { removedOrLost } from '../../engine/engine-lost.ts';
import { containerName } from '../../ownership/container-name.ts';
import { type Owner, ownershipLabels } from '../../ownership/labels.ts';
import { mountPoint, script, type TaskFolder } from './task-folder.ts';

/**
 * The same as a task folder, on a volume of an engine that does not see this host's folders. A container beside the task fills it,
 * and has the other ends of the pipes.
 *
 * @param image the shell service's, which has the programs
 */
export async function makeTaskVolume(engine: Engine, owner: Owner, image: string): Promise<TaskFolder> {
  const { docker } = engine;
  await using resources = new AsyncDisposableStack();
  const volume = await createRunVolume(docker, owner, 'shell');
  resources.defer(() => removedOrLost(engine, () => volume[Symbol.asyncDispose]()));
  const container = await docker.createContainer({
    name: containerName(owner, 'shell-folder'),
    Image: image,
    Entrypoint: ['node', '-e', program, script],
    Cmd: [],
    Labels: ownershipLabels(owner, 'shell-folder'),
    // To whom a new volume belongs.
    User: '0:0',
    ...heldOpen,
    HostConfig: {
      NetworkMode: 'none',
      AutoRemove: true,
      Binds: [`${volume.name}:${mountPoint}`],
      CapDrop: ['ALL'],
      ReadonlyRootfs: true,
      SecurityOpt: ['no-new-privileges'],
    },
  });
  resources.defer(() => removedOrLost(engine, () => removeContainer(docker, container.id)));
  const streams = await attachHeld(container);
  const { channel } = streams;
  resources.defer(() => void channel.destroy());
  const { ready, ended } = told(streams);
  await container.start();
  await ready;
  const owned = resources.move();
  return {
    bind: `${volume.name}:${mountPoint}:ro`,
    ended,
    release: () => channel.write('\n'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function told({ channel, stdout, stderr }: HeldStreams) {
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  let words = '';
  stdout.on('data', (text: Buffer) => {
    const [line = ''] = text.toString('latin1').split('\n');
    if (line === 'ready') ready.resolve();
    else ended.resolve(/^\d{1,3}$/.test(line) ? line : 'unknown');
  });
  stderr.on('data', (text: Buffer) => {
    words = (words + text.toString()).slice(-2000);
  });
  channel.once('close', () => {
    ready.reject(
      new Error(`the folder of the shell could not be made: ${words.trim() || 'its container ended'}`),
    );
  });
  // Whoever awaits it is told; nobody does when the container could not be started.
  ready.promise.catch(() => {});
  return { ready: ready.promise, ended: ended.promise };
}

/** Keeps the pipes open for both directions, so that they neither wait for the other side nor end with it. */
const program = `
const fs = require('node:fs');
const { execFileSync } = require('node:child_process');
const folder = '${mountPoint}';
for (const name of fs.readdirSync('${programsForContainers}')) {
  fs.copyFileSync('${programsForContainers}/' + name, folder + '/' + name);
  fs.chmodSync(folder + '/' + name, 0o755);
}
fs.writeFileSync(folder + '/run.sh', process.argv[1]);
const [ended, leave] = ['ended', 'leave'].map((name) => {
  execFileSync(folder + '/busybox', ['mkfifo', folder + '/' + name]);
  fs.chmodSync(folder + '/' + name, 0o666);
  return fs.openSync(folder + '/' + name, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
});
new (require('node:net').Socket)({ fd: ended, readable: true, writable: false })
  .once('data', (text) => process.stdout.write(text));
process.stdin.once('data', () => fs.writeSync(leave, '\\n'));
process.stdin.on('end', () => process.exit());
process.stdout.write('ready\\n');`;
