import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { engineListens } from './engine-listens.ts';
import { copyImages } from './images/copy-images.ts';
import { makeTempDir, type TempDir } from './temp-dir.ts';

const run = promisify(execFile);

/** The host, as a connected engine and its containers see it. */
export const hostAddress = '10.213.77.1';
const engineAddress = '10.213.77.2/30';

/**
 * A Docker Engine of a test's own, to be killed and restarted: own data, own socket, own network namespace.
 * (A second engine in the host's namespace would take the first one's bridge.)
 */
export class ThrowawayEngine implements AsyncDisposable {
  readonly #folder: TempDir;
  readonly #namespace: string;
  #daemon: ChildProcess | undefined;

  /**
   * With one image from the host's engine, or none, and no network.
   *
   * @param allCapabilities makes privileged containers possible where this host's root lacks a capability
   */
  static async start(image?: string, { allCapabilities = false } = {}): Promise<ThrowawayEngine> {
    const engine = await ThrowawayEngine.#create();
    await engine.boot(allCapabilities ? await engine.#tolerantRuntime() : []);
    await engine.#load(...(image === undefined ? [] : [image]));
    return engine;
  }

  /** With images from the host's engine; it and its containers reach this host, at {@link hostAddress}, and nothing else. */
  static async startConnected(...images: string[]): Promise<ThrowawayEngine> {
    const engine = await ThrowawayEngine.#create();
    await engine.#connect();
    await engine.boot([`--insecure-registry=${hostAddress}/32`]);
    await engine.#load(...images);
    return engine;
  }

  static async #create(): Promise<ThrowawayEngine> {
    const folder = await makeTempDir();
    const namespace = `docker-worker-${process.pid}`;
    await run('ip', ['netns', 'add', namespace]);
    await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    return new ThrowawayEngine(folder, namespace);
  }

  private constructor(folder: TempDir, namespace: string) {
    this.#folder = folder;
    this.#namespace = namespace;
  }

  /** The network namespace that the daemon runs in. */
  get namespace(): string {
    return this.#namespace;
  }

  /** Value of `DOCKER_HOST`. */
  get host(): string {
    return `unix://${this.#path('docker.sock')}`;
  }

  /** Starts the daemon, for the first time or again; settles when it listens. */
  async boot(options: string[] = []): Promise<void> {
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
        ...options,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#daemon = daemon;
    await engineListens(daemon);
  }

  /** Ends the daemon as a crash would. */
  async kill(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await (this.#daemon && once(this.#daemon, 'exit'));
  }

  /** Stops the daemon where it is: it keeps its connections and answers nothing, until it is resumed. */
  pause(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  resume(): void {
    this.#daemon?.kill('SIGCONT');
  }

  async docker(...args: string[]): Promise<string> {
    return (await run('docker', ['--host', this.host, ...args])).stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const daemon = this.#daemon;
    if (daemon?.exitCode === null && daemon.signalCode === null) {
      this.resume();
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

  /** The pair of interfaces goes with the namespace. */
  async #connect(): Promise<void> {
    const [outside, inside] = [`dwo${process.pid}`, `dwi${process.pid}`];
    await run('ip', [
      'link',
      'add',
      outside,
      'type',
      'veth',
      'peer',
      'name',
      inside,
      'netns',
      this.#namespace,
    ]);
    await run('ip', ['address', 'add', `${hostAddress}/30`, 'dev', outside]);
    await run('ip', ['link', 'set', outside, 'up']);
    const within = (...args: string[]) => run('ip', ['-n', this.#namespace, ...args]);
    await within('address', 'add', engineAddress, 'dev', inside);
    await within('link', 'set', inside, 'up');
    await within('route', 'add', 'default', 'via', hostAddress);
  }

  /** Options for a runtime that does not ask for CAP_SYS_RESOURCE, which root of a nested host may lack. */
  async #tolerantRuntime(): Promise<string[]> {
    const runtime = this.#path('runtime');
    await writeFile(
      runtime,
      `#!/bin/sh
for word in "$@"; do
  [ "$before" = --bundle ] && sed -i 's/"CAP_SYS_RESOURCE",//g' "$word/config.json"
  before=$word
done
exec runc "$@"
`,
      { mode: 0o755 },
    );
    return [`--add-runtime=tolerant=${runtime}`, '--default-runtime=tolerant'];
  }

  async #load(...images: string[]): Promise<void> {
    if (images.length === 0) {
      return;
    }
    await copyImages(images, ['docker', ['--host', this.host, 'load', '--quiet']]);
  }

  #path(name: string): string {
    return join(this.#folder.path, name);
  }
}
