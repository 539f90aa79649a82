import { engineMessage } from '../shell/exec-process.ts';
import type { HostedProcess, ShellHost } from '../shell/shell-host.ts';
import type { Connection } from './connection.ts';
import { closeCode } from './page-messages.ts';
import { PageSession, type PageSessionOptions, refusePage } from './page-session.ts';
import { openSessionV1, refuseV1 } from './session-v1.ts';
import { openSessionV2, refuseV2 } from './session-v2.ts';
import { type Sessions, tooManySessions } from './sessions.ts';

export interface ShellServerOptions {
  host: ShellHost;
  sessions: Sessions;
  /** What version 2 and the page run. */
  shell: readonly string[];
  page: PageSessionOptions;
}

/** Gives every connection its session, or the reason why it gets none. */
export class ShellServer {
  readonly #options: ShellServerOptions;
  /** The page's shells by their ids. */
  readonly #pages = new Map<string, PageSession>();

  constructor(options: ShellServerOptions) {
    this.#options = options;
  }

  /** `?tty=true|false&command=<argument>&command=<argument>…` */
  openV1(connection: Connection, query: URLSearchParams): void {
    const { host, sessions } = this.#options;
    const place = sessions.reserve();
    if (place === undefined) {
      refuseV1(connection, tooManySessions);
      return;
    }
    const tty = query.get('tty')?.toLowerCase() === 'true';
    sessions.add(openSessionV1(connection, host, { command: query.getAll('command'), tty }), place);
  }

  openV2(connection: Connection): void {
    const { host, sessions, shell } = this.#options;
    const place = sessions.reserve();
    if (place === undefined) {
      refuseV2(connection, tooManySessions);
      return;
    }
    sessions.add(openSessionV2(connection, host, shell), place);
  }

  /** `?session=<id>&have=<bytes>` for a page that comes back. */
  openPage(connection: Connection, query: URLSearchParams): void {
    const known = this.#pages.get(query.get('session') ?? '');
    if (known !== undefined && !known.isOver) {
      known.attach(connection, Number(query.get('have')) || 0);
      return;
    }
    const { sessions } = this.#options;
    const place = sessions.reserve();
    if (place === undefined) {
      refusePage(connection, closeCode.full, tooManySessions);
      return;
    }
    void this.#startPage(connection, place);
  }

  shutDown(): Promise<void> {
    return this.#options.sessions.shutDown();
  }

  async #startPage(connection: Connection, place: Disposable): Promise<void> {
    const { host, sessions, shell, page } = this.#options;
    let hosted: HostedProcess;
    try {
      hosted = await host.start({ command: shell, tty: true });
    } catch (error) {
      place[Symbol.dispose]();
      refusePage(connection, closeCode.failed, engineMessage(error));
      return;
    }
    const session = new PageSession(hosted, page);
    this.#pages.set(session.id, session);
    void session.ended.finally(() => this.#pages.delete(session.id));
    sessions.add(session, place);
    session.attach(connection, undefined);
  }
}
