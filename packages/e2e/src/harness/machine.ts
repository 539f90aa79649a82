import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { engineListens } from './engine-listens.ts';
import { copyImages } from './images/copy-images.ts';

const run = promisify(execFile);

/** It may lie in a folder that is not shared. */
const repository = join(import.meta.dirname, '../../../..');
const name = 'dw-e2e';
const folder = '/var/tmp/docker-worker-e2e';
const [outside, inside] = ['10.213.76.1', '10.213.76.2'];
/** What a machine has to itself. */
const folders = [
  '/var/lib/docker',
  '/var/lib/docker-worker',
  '/tmp',
  '/run',
  join(homedir(), '.cache'),
  join(homedir(), '.local'),
];

/**
 * A second machine in this one: network, temporary files, and a Docker Engine with the images of this one's, all its own.
 * It reaches the networks that this one does. There is one at a time; what a killed one left is removed first.
 */
export class Machine implements AsyncDisposable {
  readonly #daemon: ChildProcess;
  readonly #resources: AsyncDisposableStack;

  static async start(): Promise<Machine> {
    await using resources = new AsyncDisposableStack();
    await remove();
    resources.defer(remove);
    await addNetwork();
    await Promise.all(folders.map((path) => mkdir(join(folder, path), { recursive: true })));
    // Its mounts end with its last process.
    const script = `
      set -e
      mkdir -p ${folder}${repository}
      mount --rbind ${repository} ${folder}${repository}
      for path in ${folders.join(' ')}; do mkdir -p $path; mount --rbind ${folder}$path $path; done
      chmod 1777 /tmp
      mkdir -p /run/lock /run/netns
      exec dockerd`;
    const daemon = spawn(
      'nsenter',
      [`--net=/run/netns/${name}`, 'unshare', '--mount', '--propagation=private', 'bash', '-c', script],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    resources.defer(() => end(daemon));
    await engineListens(daemon);
    const ours = ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', 'docker-worker/*'];
    const { stdout } = await run('docker', ours);
    await copyImages(stdout.trim().split('\n'), within(daemon, 'docker', ['load', '--quiet']));
    return new Machine(daemon, resources.move());
  }

  private constructor(daemon: ChildProcess, resources: AsyncDisposableStack) {
    this.#daemon = daemon;
    this.#resources = resources;
  }

  /** The command that runs a program there. */
  command(program: string, args: string[]): [string, string[]] {
    return within(this.#daemon, program, args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

function within({ pid }: ChildProcess, program: string, args: string[]): [string, string[]] {
  const where = [`--target=${pid}`, '--net', '--mount', `--wd=${process.cwd()}`];
  return ['nsenter', [...where, program, ...args]];
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode === null && daemon.signalCode === null) {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
}

async function addNetwork(): Promise<void> {
  const within = ['-n', name];
  await run('ip', ['netns', 'add', name]);
  await run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
  await run('ip', ['address', 'add', `${outside}/30`, 'dev', name]);
  // Not larger than what any network behind it takes.
  await run('ip', ['link', 'set', name, 'up', 'mtu', '1400']);
  await run('ip', [...within, 'address', 'add', `${inside}/30`, 'dev', 'eth0']);
  await run('ip', [...within, 'link', 'set', 'lo', 'up']);
  await run('ip', [...within, 'link', 'set', 'eth0', 'up', 'mtu', '1400']);
  await run('ip', [...within, 'route', 'add', 'default', 'via', outside]);
  await Promise.all(rules.map((rule) => iptables('-I', rule)));
}

/** The engine of this machine has switched forwarding on, and lets nothing through that it does not know. */
const rules = [
  ['nat', 'POSTROUTING', '-s', `${inside}/32`, '-j', 'MASQUERADE'],
  ['filter', 'FORWARD', '-i', name, '-j', 'ACCEPT'],
  ['filter', 'FORWARD', '-o', name, '-j', 'ACCEPT'],
];

async function iptables(action: '-I' | '-D', [table = '', ...rule]: string[]): Promise<void> {
  await run('iptables', ['--wait', '-t', table, action, ...rule]);
}

async function remove(): Promise<void> {
  const { stdout } = await run('ip', ['netns', 'pids', name]).catch(() => ({ stdout: '' }));
  for (const pid of stdout.split('\n').filter(Boolean)) {
    process.kill(Number(pid), 'SIGKILL');
  }
  await Promise.all(rules.map((rule) => iptables('-D', rule).catch(() => {})));
  // By name as well: the namespace stays for as long as something in it is still ending.
  await run('ip', ['link', 'delete', name]).catch(() => {});
  await run('ip', ['netns', 'delete', name]).catch(() => {});
  await rm(folder, { recursive: true, force: true });
}
