/** A session ends by itself, in the protocol, when no handshake has renewed it for so long. */
const sessionMs = 180_000;

/**
 * Whoever gets data without having any to send answers within ten seconds, in the protocol. So when
 * something was sent after five seconds of silence, an end that is there has been heard before sixteen.
 */
const silenceMs = 5_000;
const lostMs = 16_000;

/** Unmet: no handshake ever; silent: something should be sent; lost: what was sent has had no answer. */
export type PeerHealth = 'unmet' | 'alive' | 'silent' | 'lost';

/**
 * Judges from WireGuard's counters whether its peers can be reached. The protocol has no connection that
 * could be seen to end: all there is to see is an answer that does not come.
 */
export class PeerWatch {
  #handshakes = new Map<string, number>();
  #received = new Map<string, number>();
  #heardAt = Number.NEGATIVE_INFINITY;
  #isSilenceTold = false;
  #hasNews = false;

  /** Takes a line of the tunnel's program; false when it is no report. */
  read(line: string): boolean {
    const [kind = '', ...fields] = line.split(/\s+/);
    const [key = '', value = '', sent] = fields;
    if (kind === 'handshake' && /^\d+$/.test(value)) {
      if (this.#handshakes.get(key) !== Number(value) && value !== '0') this.#hasNews = true;
      this.#handshakes.set(key, Number(value));
      return true;
    }
    if (kind === 'transfer' && sent !== undefined) {
      if (this.#received.get(key) !== Number(value) && value !== '0') this.#hasNews = true;
      this.#received.set(key, Number(value));
      return true;
    }
    return false;
  }

  /** `now` on a clock that only goes forward, `wallClock` since the epoch, both in milliseconds. Told once per silence. */
  judge(now: number, wallClock: number): PeerHealth {
    const latest = Math.max(0, ...this.#handshakes.values()) * 1000;
    if (latest === 0) return 'unmet';
    if (this.#hasNews) {
      this.#hasNews = false;
      this.#isSilenceTold = false;
      this.#heardAt = now;
    }
    const silence = now - this.#heardAt;
    if (silence >= lostMs || wallClock - latest > sessionMs) return 'lost';
    if (silence < silenceMs || this.#isSilenceTold) return 'alive';
    this.#isSilenceTold = true;
    return 'silent';
  }

  /** The counters begin anew. */
  reset(): void {
    this.#handshakes.clear();
    this.#received.clear();
    this.#hasNews = false;
    this.#heardAt = Number.NEGATIVE_INFINITY;
    this.#isSilenceTold = false;
  }
}
