import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { makeTempDir, type TempDir } from './temp-dir.ts';

const run = promisify(execFile);

/**
 * A Docker Engine of a test's own, to be killed and restarted: own data, own socket, own network namespace.
 * (A second engine in the host's namespace would take the first one's bridge.)
 */
export class ThrowawayEngine implements AsyncDisposable {
  readonly #folder: TempDir;
  readonly #namespace: string;
  #daemon: ChildProcess | undefined;

  static async start(image: string): Promise<ThrowawayEngine> {
    const folder = await makeTempDir();
    const namespace = `docker-worker-${process.pid}`;
    await run('ip', ['netns', 'add', namespace]);
    await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    const engine = new ThrowawayEngine(folder, namespace);
    await engine.boot();
    await engine.#load(image);
    return engine;
  }

  private constructor(folder: TempDir, namespace: string) {
    this.#folder = folder;
    this.#namespace = namespace;
  }

  /** Value of `DOCKER_HOST`. */
  get host(): string {
    return `unix://${this.#path('docker.sock')}`;
  }

  /** Starts the daemon, for the first time or again; settles when it listens. */
  async boot(): Promise<void> {
    // What a killed daemon leaves keeps the next one from starting.
    await rm(this.#path('docker.pid'), { force: true });
    await rm(this.#path('exec/containerd/containerd.pid'), { force: true });
    const daemon = spawn(
      'nsenter',
      [
        `--net=/run/netns/${this.#namespace}`,
        'dockerd',
        `--data-root=${this.#path('data')}`,
        `--exec-root=${this.#path('exec')}`,
        `--pidfile=${this.#path('docker.pid')}`,
        `--host=${this.host}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#daemon = daemon;
    await new Promise<void>((resolve, reject) => {
      const lines = createInterface({ input: daemon.stderr as NodeJS.ReadableStream });
      lines.on('line', (line) => line.includes('API listen on') && resolve());
      lines.on('close', () => reject(new Error('dockerd ended before it listened')));
    });
  }

  /** Ends the daemon as a crash would. */
  async kill(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await (this.#daemon && once(this.#daemon, 'exit'));
  }

  async docker(...args: string[]): Promise<string> {
    return (await run('docker', ['--host', this.host, ...args])).stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const daemon = this.#daemon;
    if (daemon?.exitCode === null && daemon.signalCode === null) {
      daemon.kill('SIGTERM');
      await once(daemon, 'exit');
    }
    // The containers' shims outlive a killed daemon.
    await run('pkill', ['-KILL', '-f', this.#path('exec')]).catch(() => {});
    const { stdout: mounts } = await run('sh', [
      '-c',
      `grep -o '${this.#folder.path}[^ ]*' /proc/mounts || true`,
    ]);
    for (const mount of mounts.split('\n').filter(Boolean).reverse()) {
      await run('umount', ['--lazy', mount]).catch(() => {});
    }
    await run('ip', ['netns', 'delete', this.#namespace]);
    await this.#folder[Symbol.asyncDispose]();
  }

  async #load(image: string): Promise<void> {
    const save = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
    const load = spawn('docker', ['--host', this.host, 'load'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const loaded = once(load, 'close');
    await pipeline(save.stdout, load.stdin);
    await loaded;
  }

  #path(name: string): string {
    return join(this.#folder.path, name);
  }
}
