import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { Holds } from '../shell/holds.ts';

/** Unsent bytes above which the sender is told to wait, and below which it may go on. */
const fullBytes = 1024 * 1024;
const drainedBytes = 256 * 1024;

export interface ConnectionLimits {
  /** Messages that are read per second; what comes faster waits. */
  messagesPerSecond: number;
  /** Seconds between pings; a peer that answers none of two is gone. */
  heartbeatSeconds: number;
}

interface ConnectionEvents {
  /** One message, its text or bytes. */
  message: [Buffer, boolean];
  drain: [];
  close: [];
}

/**
 * A WebSocket that tells when it is full, asks its peer for signs of life and reads no faster than it may.
 * It reads while nobody holds it; at first `start` does.
 */
export class Connection extends EventEmitter<ConnectionEvents> {
  /** Who wants no messages now. */
  readonly holds: Holds;
  readonly #socket: WebSocket;
  readonly #limits: ConnectionLimits;
  readonly #heartbeat: NodeJS.Timeout;
  #unsent = 0;
  #isFull = false;
  #unanswered = 0;
  #allowance: number;
  #countedAt = performance.now();
  #throttle: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, limits: ConnectionLimits) {
    super();
    this.#socket = socket;
    this.#limits = limits;
    this.#allowance = limits.messagesPerSecond;
    this.holds = new Holds(socket, 'start');
    socket.on('message', (data: Buffer, isBinary) => {
      this.#unanswered = 0;
      this.#count();
      this.emit('message', data, isBinary);
    });
    socket.on('pong', () => {
      this.#unanswered = 0;
    });
    // Broken framing or too large a frame: ws itself closes with the code that is due.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(this.#heartbeat);
      clearTimeout(this.#throttle);
      this.emit('close');
    });
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatSeconds * 1000);
    this.#heartbeat.unref();
  }

  /** False when the peer does not keep up; `drain` follows. */
  send(data: Buffer | string): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      return true;
    }
    this.#unsent += data.length;
    this.#socket.send(data, { binary: typeof data !== 'string' }, () => {
      this.#unsent -= data.length;
      if (this.#isFull && this.#unsent <= drainedBytes) {
        this.#isFull = false;
        this.emit('drain');
      }
    });
    this.#isFull ||= this.#unsent > fullBytes;
    return !this.#isFull;
  }

  /** Says good-bye; a peer that does not answer within 30 s is dropped by ws. */
  close(closeCode: number, reason: string): void {
    this.holds.releaseAll();
    this.#socket.close(closeCode, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #beat(): void {
    // While nothing is read, the answers are not either.
    if (!this.holds.isHeld && this.#unanswered >= 2) {
      this.#socket.terminate();
      return;
    }
    this.#unanswered += 1;
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.ping();
    }
  }

  /** What has come in one piece is handed on at once; then nothing is read until the rate is kept again. */
  #count(): void {
    const { messagesPerSecond: rate } = this.#limits;
    const now = performance.now();
    this.#allowance = Math.min(rate, this.#allowance + ((now - this.#countedAt) / 1000) * rate) - 1;
    this.#countedAt = now;
    if (this.#allowance < 0) {
      this.holds.hold('rate');
      clearTimeout(this.#throttle);
      this.#throttle = setTimeout(() => this.holds.release('rate'), (-this.#allowance / rate) * 1000);
    }
  }
}
