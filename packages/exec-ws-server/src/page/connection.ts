import { aliveSeconds, closeCode, type PageMessage, type ServerMessage } from '../session/page-messages.ts';

export type State = 'connecting' | 'connected' | 'lost' | 'ended';

export interface ConnectionListener {
  onState(state: State): void;
  /** Bytes of the terminal; `seen` is called when it has worked them off. */
  onOutput(data: Uint8Array, seen: () => void): void;
  onSession(session: Extract<ServerMessage, { type: 'session' }>): void;
  /** The session is over; nothing follows. */
  onEnd(text: string): void;
}

/** Milliseconds between attempts to come back: the first at once, then longer and longer. */
const firstDelay = 250;
const longestDelay = 5_000;
/** An attempt that has not succeeded by then is given up. */
const attemptMs = 10_000;
/** The tab's memory of its shell, so that a reload comes back to it. */
const storageKey = `session ${location.pathname}`;

/** The page's line to its shell, which it takes up again after every break. */
export class ShellConnection {
  readonly #listener: ConnectionListener;
  #socket: WebSocket | undefined;
  #session = sessionStorage.getItem(storageKey) ?? undefined;
  /** Bytes of the session that have arrived, and that the terminal has worked off. */
  #received = 0;
  #seen = 0;
  #delay = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(listener: ConnectionListener) {
    this.#listener = listener;
    addEventListener('online', () => this.#hurry());
    addEventListener('offline', () => this.#drop());
    document.addEventListener('visibilitychange', () => document.hidden || this.#hurry());
  }

  open(): void {
    const url = new URL('session', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (this.#session !== undefined) {
      url.search = new URLSearchParams({ session: this.#session, have: String(this.#received) }).toString();
    }
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#listener.onState(this.#received === 0 ? 'connecting' : 'lost');
    const patience = setTimeout(() => socket.close(), attemptMs);
    socket.onopen = () => clearTimeout(patience);
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) {
        this.#take(data as string | ArrayBuffer);
      }
    };
    socket.onclose = ({ code, reason }) => {
      clearTimeout(patience);
      if (this.#socket === socket) {
        this.#closed(code, reason);
      }
    };
  }

  /** A new shell in the place of one that is over. */
  restart(): void {
    sessionStorage.removeItem(storageKey);
    this.#session = undefined;
    this.#received = 0;
    this.#seen = 0;
    this.#isOver = false;
    this.open();
  }

  /** What is typed while there is no connection is lost, as the terminal shows. */
  type(text: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(typeof text === 'string' ? new TextEncoder().encode(text) : text);
    }
  }

  resize(rows: number, columns: number): void {
    this.#tell({ type: 'resize', rows, columns });
  }

  #tell(message: PageMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }

  #take(data: string | ArrayBuffer): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#drop(), 3 * aliveSeconds * 1000);
    if (typeof data !== 'string') {
      this.#received += data.byteLength;
      const position = this.#received;
      this.#listener.onOutput(new Uint8Array(data), () => {
        this.#seen = Math.max(this.#seen, position);
        this.#tell({ type: 'seen', position: this.#seen });
      });
      return;
    }
    const message = JSON.parse(data) as ServerMessage;
    switch (message.type) {
      case 'session':
        this.#session = message.session;
        sessionStorage.setItem(storageKey, message.session);
        this.#received = message.position;
        this.#seen = message.position;
        this.#delay = 0;
        this.#listener.onSession(message);
        this.#listener.onState('connected');
        break;
      case 'alive':
        break;
      case 'exit':
        this.#end(`The shell has ended with exit code ${message.exitCode}.`);
        break;
      case 'failed':
        this.#end(message.message);
        break;
    }
  }

  /** The connection is dead, though nobody has told so: a new one is made without waiting for its end. */
  #drop(): void {
    const socket = this.#socket;
    if (socket !== undefined && !this.#isOver) {
      this.#socket = undefined;
      socket.close();
      this.#closed(0, '');
    }
  }

  #closed(code: number, reason: string): void {
    if (this.#isOver) {
      return;
    }
    if (Object.values<number>(closeCode).includes(code)) {
      this.#end(reason === '' ? 'The server has closed the session.' : `Closed: ${reason}.`);
      return;
    }
    this.#listener.onState('lost');
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), this.#delay);
    this.#delay = Math.min(Math.max(firstDelay, this.#delay * 2), longestDelay);
  }

  /** The network is back, or somebody looks at the page: no reason to wait any longer. */
  #hurry(): void {
    if (!this.#isOver && (this.#socket?.readyState ?? WebSocket.CLOSED) === WebSocket.CLOSED) {
      clearTimeout(this.#retry);
      this.#delay = 0;
      this.open();
    }
  }

  #end(text: string): void {
    this.#isOver = true;
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
    sessionStorage.removeItem(storageKey);
    this.#listener.onState('ended');
    this.#listener.onEnd(text);
  }
}
