import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';
import { type BootDisk, readyMark } from './debian-disk.ts';

export interface MachineOptions extends BootDisk {
  mebibytes?: number;
  /** Files with file systems that the machine has as /dev/vdb, /dev/vdc and so on. */
  disks?: string[];
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

const lastConsoleLines = 40;

/**
 * A machine with a kernel of its own, emulated by QEMU: that works on every machine, those included that are
 * virtual themselves. Its disks are as they were at every start; disposing of it is pulling its plug.
 */
export class VirtualMachine implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #folder: TempDir;
  readonly #options: MachineOptions;
  readonly #port: number;
  readonly #console: string[] = [];

  /** Resolves when its units run and it can be reached. */
  static async boot(options: MachineOptions): Promise<VirtualMachine> {
    const machine = new VirtualMachine(options, await makeTempDir(), await freePort());
    try {
      await machine.#ready();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(options: MachineOptions, folder: TempDir, port: number) {
    this.#options = options;
    this.#folder = folder;
    this.#port = port;
    const disks = [options.disk, ...(options.disks ?? [])];
    this.#process = spawn(
      'qemu-system-x86_64',
      [
        ...['-machine', 'q35', '-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'Haswell'],
        ...['-smp', '2', '-m', String(options.mebibytes ?? 2048)],
        ...['-display', 'none', '-no-reboot', '-serial', 'stdio', '-monitor', 'none'],
        ...['-kernel', options.kernel, '-initrd', options.initrd],
        '-append',
        'root=/dev/vda rw console=ttyS0 quiet mitigations=off apparmor=1 security=apparmor',
        ...disks.flatMap((file) => ['-drive', `file=${file},format=raw,if=virtio,snapshot=on`]),
        ...['-nic', `user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:${port}-:22`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#ended = once(this.#process, 'close');
    this.#ended.catch(() => {});
  }

  /** Runs a command line of the shell as root. */
  async run(commandLine: string, input = ''): Promise<CommandResult> {
    const child = spawn('ssh', [...this.#sshOptions(), 'root@127.0.0.1', commandLine], { stdio: 'pipe' });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, stdout, stderr };
  }

  /** Like {@link run}, for a command that must succeed; gives what it printed. */
  async succeed(commandLine: string, input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.run(commandLine, input);
    if (code !== 0) {
      throw new Error(`in the machine, "${commandLine}" ended with ${code}:\n${stdout}\n${stderr}`);
    }
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      execFile('ssh', [...this.#sshOptions(), '-O', 'exit', 'root@127.0.0.1'], resolve);
    });
    this.#process.kill('SIGKILL');
    await this.#ended.catch(() => {});
    await this.#folder[Symbol.asyncDispose]();
  }

  async #ready(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    const { stdout, stderr } = this.#process;
    for (const stream of [stdout, stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
        this.#console.push(line);
        this.#console.splice(0, this.#console.length - lastConsoleLines);
        if (line.includes(readyMark)) {
          ready.resolve();
        }
      });
    }
    this.#ended.then(
      () => ready.reject(new Error(`the machine ended before it was ready:\n${this.#console.join('\n')}`)),
      ready.reject,
    );
    await ready.promise;
  }

  /** One connection serves all commands: each handshake takes seconds in an emulated machine. */
  #sshOptions(): string[] {
    const settings = {
      BatchMode: 'yes',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      ControlMaster: 'auto',
      ControlPersist: 'yes',
      ControlPath: join(this.#folder.path, 'ssh'),
    };
    return [
      ...['-F', 'none', '-i', this.#options.key, '-p', String(this.#port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ];
  }
}
