import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { main } from '../command.ts';
import { makeTempDir, type TempDir } from '../temp-dir.ts';

/** What a room has to itself. */
const folders = [
  '/run',
  '/home',
  '/var/lib/docker',
  '/var/lib/containers',
  '/var/lib/docker-worker',
  // The last to be mounted, since the others may lie in it.
  '/tmp',
];

/** The worker and its Node, in a place of the room that everybody in it may read. */
export const workerInRoom = ['/tmp/node/node', '/tmp/worker/main.js'] as const;

/** Somebody without any powers, who exists in rooms only. */
export const ordinaryUser = { name: 'docker-worker-test', id: 31_000, home: '/home/docker-worker-test' };

/** Root, unless it is somebody else. */
export interface Somebody {
  as?: 'ordinary user';
}

export interface RoomOptions {
  /** A folder that takes the place of `/usr` there. */
  usr?: string;
}

/**
 * Where an engine runs without touching this machine: processes, mounts, network (a loopback interface), temporary
 * files and state of its own, and an ordinary user. All of it ends with its first process, which ends with this one.
 */
export class EngineRoom implements AsyncDisposable {
  readonly #folder: TempDir;
  readonly #pid: number;
  readonly #resources: AsyncDisposableStack;

  static async open({ usr }: RoomOptions = {}): Promise<EngineRoom> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await makeTempDir());
    const mine = [...['.cache', '.config', '.local'].map((name) => join(homedir(), name)), ...folders];
    await Promise.all(mine.map((path) => mkdir(join(folder.path, path), { recursive: true })));
    const outer = spawn(
      'unshare',
      [
        ...['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation=private'],
        ...['bash', '-c', furnish(folder.path, mine, usr)],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    resources.defer(() => end(outer));
    let complaints = '';
    outer.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    const [said] = await Promise.race([once(outer.stdout, 'data'), once(outer, 'close')]);
    if (String(said) !== 'ready\n') {
      throw new Error(`no place of its own can be made for an engine: ${complaints.trim()}`);
    }
    const children = await readFile(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8');
    const owned = resources.move();
    return new EngineRoom(folder, Number(children), owned);
  }

  private constructor(folder: TempDir, pid: number, resources: AsyncDisposableStack) {
    this.#folder = folder;
    this.#pid = pid;
    this.#resources = resources;
  }

  /** Of its first process, as this machine counts. */
  get pid(): number {
    return this.#pid;
  }

  /** Where a file of one of its own folders is on this machine. */
  outside(path: string): string {
    return join(this.#folder.path, path);
  }

  /** The command that runs a program there. */
  command(command: readonly string[], { as }: Somebody = {}): [program: string, args: string[]] {
    const where = [`--target=${this.#pid}`, '--net', '--mount', '--pid', '--wd=/tmp'];
    const who = as ? [`--setuid=${ordinaryUser.id}`, `--setgid=${ordinaryUser.id}`] : [];
    return ['nsenter', [...where, ...who, ...command]];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function end(outer: ChildProcess): Promise<void> {
  const ended = outer.exitCode === null && outer.signalCode === null ? once(outer, 'close') : undefined;
  outer.stdin?.destroy();
  await ended;
}

/** The shell that it ends with is the first process there: it collects the children that nobody waits for. */
function furnish(folder: string, mine: string[], usr: string | undefined): string {
  const { name, id, home } = ordinaryUser;
  const user = `${name}:x:${id}:${id}::${home}:/bin/sh`;
  const range = `${name}:${id * 65_536}:65536`;
  return `
    set -e
    mkdir -p ${folder}/tmp/node ${folder}/tmp/worker
    mount --bind ${dirname(process.execPath)} ${folder}/tmp/node
    mount --bind ${dirname(main)} ${folder}/tmp/worker
    add() { [ -e /etc/$1 ] || return 0; cp /etc/$1 ${folder}/$1; echo "$2" >>${folder}/$1; mount --bind ${folder}/$1 /etc/$1; }
    add passwd '${user}'
    add group '${name}:x:${id}:'
    add subuid '${range}'
    add subgid '${range}'
    for node in fuse net/tun; do
      [ -e /dev/$node ] || continue
      device=${folder}/$(basename $node)
      cp --archive /dev/$node $device
      chmod 666 $device
      mount --bind $device /dev/$node
    done
    mkdir -p ${mine.join(' ')}
    for path in ${mine.join(' ')}; do mount --rbind ${folder}$path $path; done
    ${usr === undefined ? '' : `mount --bind ${usr} /usr`}
    chmod 1777 /tmp
    mkdir -p /run/lock /run/user/${id} ${home}
    chown ${id}:${id} /run/user/${id} ${home}
    ip link set lo up
    echo ready
    read -r _ || true`;
}
