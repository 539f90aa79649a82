export interface StayOptions {
  /** Seconds after the start of the container. */
  minTime: number;
  /** Seconds after the last person has left. */
  expirationAfterSession: number;
  /** Told what is new about how long the container stays, once its command has ended. */
  onNews(text: string): void;
  /** The container has to end. */
  onOver(): void;
}

/** The longest pause that a timer takes. */
const longestPauseMs = 2 ** 31 - 1;

/**
 * How long a container stays after its command has ended: for a time after its start, while anybody is
 * connected, and for a time after the last of them has left.
 */
export class Stay implements Disposable {
  readonly #options: StayOptions;
  #until = 0;
  #people = 0;
  #exitCode: string | undefined;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StayOptions) {
    this.#options = { ...options };
  }

  /** The container has started. */
  started(): void {
    this.#stayFor(this.#options.minTime);
  }

  /** So many people are connected now. */
  connected(people: number): void {
    const before = this.#people;
    this.#people = people;
    if (people === 0 && before > 0) {
      this.#stayFor(this.#options.expirationAfterSession);
      if (this.#until > Date.now()) {
        this.#tell(`Nobody is connected any more; the container stays until ${this.#time}.`);
      }
    } else if (people > 0 && before === 0) {
      this.#tell('Somebody is connected; the container stays.');
    }
    this.#look();
  }

  /** The command has ended; it is told once. */
  commandEnded(exitCode: string): void {
    if (this.#exitCode !== undefined) {
      return;
    }
    this.#exitCode = exitCode;
    const { expirationAfterSession } = this.#options;
    if (this.#people > 0) {
      this.#tell(
        `The command has ended with exit code ${exitCode}. The container stays while somebody is connected` +
          (expirationAfterSession > 0 ? `, and ${expirationAfterSession} seconds longer.` : '.'),
      );
    } else if (this.#until > Date.now()) {
      this.#tell(
        `The command has ended with exit code ${exitCode}. The container stays until ${this.#time} for ` +
          'people who log in.',
      );
    }
    this.#look();
  }

  /** No longer, whoever is connected. True when the command has ended, so that the container now does too. */
  cutShort(reason: string): boolean {
    if (this.#exitCode === undefined) {
      return false;
    }
    this.#end(reason);
    return true;
  }

  /** Whoever was waited for has been here and needs no more. */
  leave(): void {
    this.#until = 0;
    this.#options.expirationAfterSession = 0;
    this.#look();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  get #time(): string {
    return new Date(this.#until).toISOString().replace('T', ' ');
  }

  #stayFor(seconds: number): void {
    this.#until = Math.max(this.#until, Date.now() + seconds * 1000);
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (this.#isOver || this.#exitCode === undefined || this.#people > 0) {
      return;
    }
    const rest = this.#until - Date.now();
    if (rest <= 0) {
      this.#end(undefined);
    } else {
      this.#timer = setTimeout(() => this.#look(), Math.min(rest, longestPauseMs));
    }
  }

  #end(reason: string | undefined): void {
    if (!this.#isOver) {
      if (reason !== undefined) {
        this.#tell(reason);
      }
      this[Symbol.dispose]();
      this.#options.onOver();
    }
  }

  #tell(text: string): void {
    if (this.#exitCode !== undefined && !this.#isOver) {
      this.#options.onNews(text);
    }
  }
}
