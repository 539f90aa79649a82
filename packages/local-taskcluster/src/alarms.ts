/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One-off actions at given times. Pending alarms do not keep the process alive. */
export class Alarms implements Disposable {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** Replaces what was set under the same name. A time in the past fires as soon as possible. */
  set(name: string, at: Date, action: () => void): void {
    this.cancel(name);
    const wait = at.getTime() - Date.now();
    const timer = setTimeout(
      () => {
        // Timers may fire a millisecond early, and a far alarm is reached in several steps.
        if (Date.now() < at.getTime()) return this.set(name, at, action);
        this.#timers.delete(name);
        action();
      },
      Math.min(Math.max(wait, 0), LONGEST_TIMER_MS),
    );
    timer.unref();
    this.#timers.set(name, timer);
  }

  cancel(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
