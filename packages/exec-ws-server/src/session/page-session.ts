import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { engineMessage } from '../shell/exec-process.ts';
import type { HostedProcess } from '../shell/shell-host.ts';
import type { Connection } from './connection.ts';
import { takeInput } from './input.ts';
import {
  aliveSeconds,
  closeCode,
  type PageMessage,
  type ServerMessage,
  windowBytes,
} from './page-messages.ts';
import { Scrollback } from './scrollback.ts';
import type { Session } from './sessions.ts';

/** More than the window, so that a page which comes back misses nothing. */
const scrollbackBytes = 2 * 1024 * 1024;

const Message: z.ZodType<PageMessage> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('resize'),
    rows: z.int().min(1).max(5000),
    columns: z.int().min(1).max(5000),
  }),
  z.strictObject({ type: z.literal('seen'), position: z.int().min(0) }),
]);

export interface PageSessionOptions {
  /** Seconds that the shell waits for a page that was lost. */
  resumeSeconds: number;
  task?: { taskId: string; runId: number };
  endsAt?: number;
}

/**
 * A shell of the page. It outlives its connection for a while: a page that was cut off gets the same shell
 * back, with all that it has missed. Output is read no further than a window ahead of what the page has
 * shown, so neither side grows for a slow one.
 */
export class PageSession implements Session {
  readonly id = randomBytes(16).toString('base64url');
  readonly ended: Promise<void>;
  readonly #hosted: HostedProcess;
  readonly #options: PageSessionOptions;
  readonly #scrollback = new Scrollback(scrollbackBytes);
  readonly #abandoned = Promise.withResolvers<'abandoned' | 'shutdown'>();
  #connection: Connection | undefined;
  #input: (data: Buffer) => void = () => {};
  #seen = 0;
  #isOver = false;
  #waiting: NodeJS.Timeout | undefined;

  constructor(hosted: HostedProcess, options: PageSessionOptions) {
    this.#hosted = hosted;
    this.#options = options;
    hosted.process.on('output', (_, bytes) => {
      const data = Buffer.from(bytes);
      this.#scrollback.push(data);
      this.#connection?.send(data);
      this.#keepWindow();
    });
    this.ended = this.#run();
    this.#waitForPage();
  }

  /** Whether there is nothing to come back to. */
  get isOver(): boolean {
    return this.#isOver;
  }

  shutDown(): void {
    this.#abandoned.resolve('shutdown');
  }

  /** Connects a page; one that was connected before is told to go. */
  attach(connection: Connection, have: number | undefined): void {
    this.#connection?.close(closeCode.takenOver, 'the session is used by another page');
    clearTimeout(this.#waiting);
    this.#connection = connection;
    const { position, data } = this.#scrollback.from(have ?? 0);
    this.#seen = position;
    this.#tell({
      type: 'session',
      session: this.id,
      position,
      resumed: have !== undefined,
      task: this.#options.task,
      endsAt: this.#options.endsAt,
    });
    if (data.length > 0) {
      connection.send(data);
    }
    // Those of the page before.
    this.#hosted.process.removeAllListeners('drain');
    this.#input = takeInput(connection, this.#hosted.process);
    connection.on('message', (message, isBinary) => {
      if (this.#connection === connection) {
        this.#take(message, isBinary);
      }
    });
    const alive = setInterval(() => this.#tell({ type: 'alive' }), aliveSeconds * 1000);
    connection.on('close', () => {
      clearInterval(alive);
      if (this.#connection === connection) {
        this.#connection = undefined;
        if (!this.#isOver) {
          this.#waitForPage();
        }
      }
    });
    connection.holds.release('start');
    this.#hosted.process.holds.release('start');
    this.#keepWindow();
  }

  async #run(): Promise<void> {
    const { process } = this.#hosted;
    const end = await Promise.race([this.#abandoned.promise, process.exited.catch((error: Error) => error)]);
    this.#isOver = true;
    clearTimeout(this.#waiting);
    if (typeof end === 'number') {
      this.#tell({ type: 'exit', exitCode: end });
      this.#connection?.close(closeCode.ended, 'the shell has ended');
      return;
    }
    const message = end instanceof Error ? engineMessage(end) : 'The task is going away.';
    this.#tell({ type: 'failed', message });
    this.#connection?.close(closeCode.goingAway, 'the session is over');
    await this.#hosted.end();
  }

  #take(message: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.#input(message);
      return;
    }
    const parsed = parse(message.toString());
    if (parsed?.type === 'resize') {
      void this.#hosted.process.resize(parsed);
    } else if (parsed?.type === 'seen') {
      this.#seen = Math.min(Math.max(this.#seen, parsed.position), this.#scrollback.end);
      this.#keepWindow();
    }
  }

  #keepWindow(): void {
    if (this.#scrollback.end - this.#seen > windowBytes) {
      this.#hosted.process.holds.hold('window');
    } else {
      this.#hosted.process.holds.release('window');
    }
  }

  #waitForPage(): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(
      () => this.#abandoned.resolve('abandoned'),
      this.#options.resumeSeconds * 1000,
    );
  }

  #tell(message: ServerMessage): void {
    this.#connection?.send(JSON.stringify(message));
  }
}

/** Tells a page why it gets no session, and closes. */
export function refusePage(connection: Connection, code: number, message: string): void {
  connection.send(JSON.stringify({ type: 'failed', message } satisfies ServerMessage));
  connection.close(code, message.slice(0, 120));
}

function parse(text: string): PageMessage | undefined {
  try {
    return Message.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
