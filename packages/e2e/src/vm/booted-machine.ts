import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';

const lastConsoleBytes = 20_000;

/** A machine as a person would have it: a BIOS, the disk that it boots from, a disk with its configuration, a network. */
export class BootedMachine implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #folder: TempDir;
  /** Settles with the exit code of the emulator when the machine has powered itself off. */
  readonly ended: Promise<number | null>;
  console = '';

  /** The machine reaches loopback of this host at 10.0.2.2. */
  static async start(disks: readonly string[]): Promise<BootedMachine> {
    return new BootedMachine(disks, await makeTempDir());
  }

  private constructor(disks: readonly string[], folder: TempDir) {
    this.#folder = folder;
    this.#process = spawn(
      'qemu-system-x86_64',
      [
        ...['-machine', 'q35', '-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'Haswell'],
        ...['-smp', '2', '-m', '2048', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
        ...['-monitor', `unix:${this.#monitor},server,nowait`],
        ...disks.flatMap((file) => ['-drive', `file=${file},format=raw,if=virtio,snapshot=on`]),
        ...['-nic', 'user,model=virtio-net-pci'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.console = `${this.console}${text}`.slice(-lastConsoleBytes);
      });
    }
    this.ended = once(this.#process, 'close').then(([code]) => code as number | null);
  }

  get #monitor(): string {
    return join(this.#folder.path, 'monitor');
  }

  async pressPowerButton(): Promise<void> {
    const monitor = connect(this.#monitor);
    await once(monitor, 'connect');
    monitor.end('system_powerdown\n');
    monitor.resume();
    await once(monitor, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
    await this.#folder[Symbol.asyncDispose]();
  }
}
