import { type ChildProcess, spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex } from 'node:stream';
import { isOutOfFiles } from '../file-limit.ts';

const connectSeconds = 30;
/** How often a silent connection is tried; after three tries in vain it is closed. */
const aliveSeconds = 15;
/** How much of what the program complains is told. */
const lastCharacters = 1_000;

/**
 * Connects as the docker command line does: by the `ssh` program, with all that this user has told it (keys, jumps, hosts that
 * are known), which runs `docker system dial-stdio` on the other machine. A login serves many requests, one after the other.
 *
 * @param host as `DOCKER_HOST` has it, `ssh://[user@]host[:port]`
 * @param env of the program
 */
export function sshAgent(host: string, env: NodeJS.ProcessEnv): Agent {
  const { hostname, username, port } = new URL(host);
  const args = [
    ...['-o', `ConnectTimeout=${connectSeconds}`, '-o', `ServerAliveInterval=${aliveSeconds}`],
    ...(username === '' ? [] : ['-l', decodeURIComponent(username)]),
    ...(port === '' ? [] : ['-p', port]),
    ...['-T', '--', hostname, 'docker', 'system', 'dial-stdio'],
  ];
  return Object.assign(new Agent({ keepAlive: true }), {
    createConnection: () => new ProgramConnection(spawn('ssh', args, { env })),
  });
}

/** Both directions of a program's standard streams, which ends with it, and with its complaint when it fails. */
class ProgramConnection extends Duplex {
  readonly #program: ChildProcess;

  constructor(program: ChildProcess) {
    super({ allowHalfOpen: false });
    this.#program = program;
    let complaint = '';
    // A process that has no files left gets no pipes either.
    program.stdin?.on('error', () => {});
    program.stdout?.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) {
        program.stdout?.pause();
      }
    });
    program.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-lastCharacters);
    });
    program
      .once('error', (error) => {
        const isOurs = isOutOfFiles(error);
        this.destroy(isOurs ? error : new Error(`the ssh program cannot be run: ${error.message}`));
      })
      .once('close', (code) => {
        if (code === 0) {
          this.push(null);
        } else {
          this.destroy(new Error(complaint.trim() || `ssh ended with exit code ${code}`));
        }
      });
  }

  /** What an agent asks of a connection that it keeps; the program sees to that itself, and ends with the agent. */
  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#program.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // That nobody takes it is told by the program's end.
    this.#program.stdin?.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#program.stdin?.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#program.kill();
    done(error);
  }
}
