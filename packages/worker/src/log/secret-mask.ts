import { setImmediate } from 'node:timers/promises';
import { secretForms, shortestSecret } from './secret-forms.ts';
import { type SecretForm, SecretIndex, windowBytes } from './secret-index.ts';

const replacement = Buffer.from('[redacted]');
/** How much is learnt before everything else gets a turn. */
const formsOfTurn = 256;
const bytesOfTurn = 256 * 1024;

/** A secret whose bytes have come as far as there are any. */
interface Candidate {
  form: SecretForm;
  /** Where it begins in what is held; negative when that has been given out. */
  start: number;
  matched: number;
}

/**
 * Replaces secrets in a stream of bytes, however it is cut into chunks. Only bytes that may be the beginning
 * of a secret are held back, until what follows tells.
 */
export class SecretMask {
  readonly #index = new SecretIndex();
  /** What is forgotten once it is worth nothing any more. */
  readonly #passing = new Set<{ until: number; forms: SecretForm[] }>();
  #candidates: Candidate[] = [];
  /** After a few bytes that have been given out, and may be the beginning of a secret all the same. */
  #held: Buffer = Buffer.alloc(0);
  #given = 0;
  /** Which of the held bytes are parts of secrets; `undefined` when none is. */
  #isSecret: Uint8Array | undefined;
  /** Whether the last byte that was given out was replaced. */
  #masking = false;

  /** How many texts are looked for. */
  get size(): number {
    return this.#index.size;
  }

  /**
   * From when it settles on these appear nowhere; returns how many are too short for that. Few and short ones are known at
   * once; what takes longer is done in turns.
   *
   * @param until when they may be forgotten, in epoch milliseconds
   */
  async learn(secrets: Iterable<string>, until = Number.POSITIVE_INFINITY): Promise<number> {
    this.#forget();
    const forms: SecretForm[] = [];
    if (until !== Number.POSITIVE_INFINITY) {
      this.#passing.add({ until, forms });
    }
    let tooShort = 0;
    let [learnt, bytes] = [0, 0];
    for (const secret of secrets) {
      if (secret.length < shortestSecret) {
        tooShort += secret === '' ? 0 : 1;
        continue;
      }
      for (const form of secretForms(secret)) {
        forms.push(this.#index.add(Buffer.from(form)));
        learnt++;
        bytes += form.length;
        if (learnt >= formsOfTurn || bytes >= bytesOfTurn) {
          this.#lookAgain();
          await setImmediate();
          [learnt, bytes] = [0, 0];
        }
      }
    }
    this.#lookAgain();
    return tooShort;
  }

  /** What can be given out once this chunk has come. */
  push(chunk: Buffer): Buffer {
    if (this.#index.size === 0 && this.#held.length === this.#given) {
      return chunk;
    }
    const before = this.#held.length;
    this.#held = before === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#candidates = this.#candidates.filter((candidate) => this.#compare(candidate));
    this.#index.scan(this.#held, Math.max(0, before - windowBytes + 1), (form, start) =>
      this.#begin(form, start),
    );
    let end = this.#candidates.reduce(
      (first, { start }) => Math.min(first, start),
      this.#index.tail(this.#held),
    );
    end = Math.max(end, this.#given);
    // What is replaced anyway need not wait.
    while (this.#isSecret?.[end] === 1) {
      end++;
    }
    return this.#give(end);
  }

  /** What is still held back; the stream ends here, or something else comes in between. */
  flush(): Buffer {
    const rest = this.#give(this.#held.length);
    this.#held = Buffer.alloc(0);
    this.#given = 0;
    this.#isSecret = undefined;
    this.#candidates = [];
    this.#masking = false;
    return rest;
  }

  #forget(): void {
    const now = Date.now();
    for (const group of this.#passing) {
      if (group.until < now) {
        this.#passing.delete(group);
        for (const form of group.forms) {
          this.#index.remove(form);
        }
      }
    }
  }

  /** Takes what has been learnt into account for what is held. */
  #lookAgain(): void {
    const earlier = [...this.#candidates];
    this.#index.scan(this.#held, 0, (form, start) => {
      if (!earlier.some((known) => known.form === form && known.start === start)) {
        this.#begin(form, start);
      }
    });
  }

  #begin(form: SecretForm, start: number): void {
    const candidate = { form, start, matched: 0 };
    if (this.#compare(candidate)) {
      this.#candidates.push(candidate);
    }
  }

  /** Whether it may still become a secret; one that is complete is marked. */
  #compare(candidate: Candidate): boolean {
    const { form, start, matched } = candidate;
    const { block, offset, length } = form;
    const known = Math.min(length, this.#held.length - start);
    if (this.#held.compare(block, offset + matched, offset + known, start + matched, start + known) !== 0) {
      return false;
    }
    candidate.matched = known;
    if (known === length) {
      this.#mark(Math.max(0, start), start + known);
      return false;
    }
    return true;
  }

  #mark(from: number, to: number): void {
    if (this.#isSecret === undefined || this.#isSecret.length < this.#held.length) {
      const marks = new Uint8Array(this.#held.length);
      marks.set(this.#isSecret ?? []);
      this.#isSecret = marks;
    }
    this.#isSecret.fill(1, from, to);
  }

  #give(end: number): Buffer {
    const given = this.#replaced(this.#given, end);
    const kept = Math.max(0, end - windowBytes + 1);
    if (kept > 0) {
      this.#held = Buffer.from(this.#held.subarray(kept));
      this.#isSecret = this.#isSecret?.includes(1, kept) ? this.#isSecret.slice(kept) : undefined;
    }
    this.#given = end - kept;
    for (const candidate of this.#candidates) {
      candidate.start -= kept;
    }
    return given;
  }

  #replaced(start: number, end: number): Buffer {
    const marks = this.#isSecret;
    if (marks === undefined) {
      this.#masking &&= end === start;
      return this.#held.subarray(start, end);
    }
    const parts: Buffer[] = [];
    for (let from = start; from < end; ) {
      const secret = marks[from] === 1;
      const change = marks.indexOf(secret ? 0 : 1, from);
      // What has come since the last mark has none.
      const to = Math.min(end, change < 0 ? (secret ? marks.length : end) : change);
      if (!secret) {
        parts.push(this.#held.subarray(from, to));
      } else if (!this.#masking) {
        parts.push(replacement);
      }
      this.#masking = secret;
      from = to;
    }
    return Buffer.concat(parts);
  }
}
