/** What may wait for the head of an answer. */
interface Waiter {
  /** Since when it waits, of `performance.now`; 0 when it does not. */
  waitingSince: number;
  timeOut(): void;
}

/**
 * Ends what has waited too long. All wait equally long, so one timer for the one that began first is enough; a
 * timer for each request would be felt.
 */
export class HeadDeadline {
  /** 0 waits for ever. */
  readonly timeoutMs: number;
  readonly #waiters: readonly Waiter[];
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, waiters: readonly Waiter[]) {
    this.timeoutMs = timeoutMs;
    this.#waiters = waiters;
  }

  begin(waiter: Waiter): void {
    if (this.timeoutMs === 0) return;
    waiter.waitingSince = performance.now();
    this.#timer ??= this.#schedule(this.timeoutMs);
  }

  #schedule(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    const latest = performance.now() - this.timeoutMs;
    const waiting = () => this.#waiters.filter(({ waitingSince }) => waitingSince > 0);
    for (const waiter of waiting()) if (waiter.waitingSince <= latest) waiter.timeOut();
    // Looked up again, since those who were told may have begun something new.
    const first = Math.min(...waiting().map(({ waitingSince }) => waitingSince));
    this.#timer = Number.isFinite(first) ? this.#schedule(first - latest) : undefined;
  }
}
