import { execFile } from 'node:child_process';
import { constants, open } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { extract } from 'tar-stream';
import { makeSharedFolder, type SharedFolder } from '../../sidecars/shared-folder.ts';

/** Where the folder is in the task's container; the name is the one that people's scripts know. */
export const mountPoint = '/.taskclusterutils';

/** A shell in the container, whatever its image has. */
export const busybox = `${mountPoint}/busybox`;

/**
 * What the container's first program runs the command by: tini hands signals to all of its process group.
 * Nothing of this script may reach the command: neither variables nor signal settings.
 */
export const wrapper: readonly string[] = [
  ...[`${mountPoint}/tini`, '-g', '--'],
  ...[busybox, 'sh', `${mountPoint}/run.sh`],
];

/**
 * The busybox shell would run its own programs in place of the image's, so the command is looked up here.
 * What the shell itself has to say, as that a signal has ended the command, does not belong into the log.
 */
export const script = `
exec 3>&2 2>/dev/null
trap : HUP INT QUIT TERM USR1 USR2
(
  exec 2>&3 3>&-
  unset SHLVL PWD OLDPWD
  _task_name=$1 _task_program=$1
  case $1 in
    */*) ;;
    *)
      IFS=:
      for _task_folder in $PATH; do
        if [ -f "\${_task_folder:-.}/$1" ] && [ -x "\${_task_folder:-.}/$1" ]; then
          _task_program=\${_task_folder:-.}/$1
          break
        fi
      done
      if [ "$_task_program" = "$1" ]; then
        printf '%s: not found\\n' "$1" >&2
        exit 127
      fi
      ;;
  esac
  shift
  exec -a "$_task_name" "$_task_program" "$@"
)
_task_code=$?
trap 'exit "$_task_code"' HUP INT QUIT TERM
printf '%s\\n' "$_task_code" > ${mountPoint}/ended
read -r _ < ${mountPoint}/leave
exit "$_task_code"
`;

/** The folder that a task's container has from the worker, read-only, with two pipes between them. */
export interface TaskFolder extends AsyncDisposable {
  /** As Docker takes a mount. */
  bind: string;
  /** Unpacks programs, as the engine archives their folder; not where they are there already. */
  addPrograms?(archive: Readable): Promise<void>;
  /** The exit code of the command, as soon as it has ended, by the task's word for it. */
  ended: Promise<string>;
  /** Lets the container end. */
  release(): void;
}

export async function makeTaskFolder(stateDirectory: string): Promise<TaskFolder> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await makeSharedFolder(stateDirectory));
  await writeFile(join(folder.path, 'run.sh'), script);
  const [ended, leave] = await Promise.all([
    makePipe(folder, 'ended', { readable: true }),
    makePipe(folder, 'leave', { writable: true }),
  ]);
  resources.defer(() => {
    ended.destroy();
    leave.destroy();
  });
  const endedWith = Promise.withResolvers<string>();
  ended.once('data', (text: Buffer) => {
    // Whatever else comes stays in the pipe.
    ended.pause();
    endedWith.resolve(/^\d{1,3}(?=\n)/.exec(text.toString('latin1'))?.[0] ?? 'unknown');
  });
  const owned = resources.move();
  return {
    bind: `${folder.path}:${mountPoint}:ro`,
    addPrograms: (archive) => unpack(archive, folder.path),
    ended: endedWith.promise,
    release: () => leave.write('\n'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Open for both directions, so that it neither waits for the other side nor ends with it. */
async function makePipe(
  folder: SharedFolder,
  name: string,
  use: { readable?: boolean; writable?: boolean },
): Promise<Socket> {
  const path = join(folder.path, name);
  await promisify(execFile)('mkfifo', [path]);
  // Whatever user the image runs its command as.
  await chmod(path, 0o666);
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK);
  return new Socket({ fd, readable: false, writable: false, ...use }).on('error', () => {});
}

/** Of the archive of a folder, the files that lie directly in it. */
async function unpack(archive: Readable, folder: string): Promise<void> {
  const entries = extract();
  const unpacked = (async () => {
    for await (const entry of entries) {
      const name = entry.header.name.replace(/^[^/]*\//, '');
      if (entry.header.type === 'file' && /^[a-z]+$/.test(name)) {
        await writeFile(join(folder, name), entry as unknown as Readable, { mode: 0o755 });
      } else {
        entry.resume();
      }
    }
  })();
  await Promise.all([pipeline(archive, entries as unknown as NodeJS.WritableStream), unpacked]);
}
