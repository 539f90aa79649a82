import { secretForms, shortestSecret } from './secret-forms.ts';

const replacement = Buffer.from('[redacted]');
const byteValues = 256;

/**
 * Replaces secrets in a stream of bytes, however it is cut into chunks. Only bytes that may be the beginning
 * of a secret are held back, until what follows tells.
 *
 * It is an automaton of Aho and Corasick: one step per byte, however many secrets there are.
 */
export class SecretMask {
  readonly #forms = new Set<string>();
  /** By byte: which of the bytes that secrets have it is; 0 is any other. */
  #classes = new Uint8Array(byteValues);
  #classCount = 1;
  /** By state and class: the next state. */
  #next = new Uint16Array(1);
  /** By state: how many bytes of a secret it stands for. */
  #depth = new Uint16Array(1);
  /** By state: the length of the longest secret that ends in it, or 0. */
  #ends = new Uint16Array(1);
  #state = 0;
  #held: Buffer = Buffer.alloc(0);
  /** Which of the held bytes are parts of secrets; `undefined` when none is. */
  #isSecret: Uint8Array | undefined;
  /** Whether the last byte that was given out was replaced. */
  #masking = false;

  /** From now on these appear nowhere; returns how many are too short for that. */
  learn(secrets: Iterable<string>): number {
    const all = [...secrets].filter((secret) => secret !== '');
    const long = all.filter((secret) => secret.length >= shortestSecret);
    const known = this.#forms.size;
    for (const form of long.flatMap(secretForms)) {
      this.#forms.add(form);
    }
    if (this.#forms.size > known) {
      this.#build();
      this.#state = 0;
      this.#scan(0);
    }
    return all.length - long.length;
  }

  /** What can be given out once this chunk has come. */
  push(chunk: Buffer): Buffer {
    if (this.#forms.size === 0) {
      return chunk;
    }
    const before = this.#held.length;
    this.#held = before === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#scan(before);
    let end = Math.max(0, this.#held.length - (this.#depth[this.#state] ?? 0));
    // What is replaced anyway need not wait.
    while (this.#isSecret?.[end] === 1) {
      end++;
    }
    return this.#give(end);
  }

  /** What is still held back; the stream ends here, or something else comes in between. */
  flush(): Buffer {
    this.#state = 0;
    const rest = this.#give(this.#held.length);
    this.#masking = false;
    return rest;
  }

  #give(end: number): Buffer {
    const bytes = this.#held.subarray(0, end);
    const marks = this.#isSecret;
    this.#held = Buffer.from(this.#held.subarray(end));
    this.#isSecret = marks?.includes(1, end) ? marks.slice(end) : undefined;
    if (marks === undefined) {
      this.#masking &&= bytes.length === 0;
      return bytes;
    }
    const parts: Buffer[] = [];
    for (let from = 0; from < end; ) {
      const secret = marks[from] === 1;
      const change = marks.indexOf(secret ? 0 : 1, from);
      // What has come since the last mark has none.
      const to = Math.min(end, change < 0 ? (secret ? marks.length : end) : change);
      if (!secret) {
        parts.push(bytes.subarray(from, to));
      } else if (!this.#masking) {
        parts.push(replacement);
      }
      this.#masking = secret;
      from = to;
    }
    return Buffer.concat(parts);
  }

  /** Runs the automaton over what is held from `start` on, and marks what belongs to secrets. */
  #scan(start: number): void {
    const bytes = this.#held;
    const next = this.#next;
    const ends = this.#ends;
    const classes = this.#classes;
    const classCount = this.#classCount;
    let state = this.#state;
    for (let at = start; at < bytes.length; at++) {
      state = next[state * classCount + (classes[bytes[at] as number] as number)] as number;
      const length = ends[state] as number;
      if (length > 0) {
        this.#mark(at + 1 - length, at + 1);
      }
    }
    this.#state = state;
  }

  #mark(from: number, to: number): void {
    if (this.#isSecret === undefined || this.#isSecret.length < this.#held.length) {
      const marks = new Uint8Array(this.#held.length);
      marks.set(this.#isSecret ?? []);
      this.#isSecret = marks;
    }
    // The beginning may have been given out, as part of another secret.
    this.#isSecret.fill(1, Math.max(0, from), to);
  }

  #build(): void {
    const forms = [...this.#forms].map((form) => Buffer.from(form));
    const used = [...new Set(forms.flatMap((form) => [...form]))];
    const classes = new Uint8Array(byteValues);
    used.forEach((byte, index) => {
      classes[byte] = index + 1;
    });
    const classCount = used.length + 1;
    const states = 1 + forms.reduce((sum, { length }) => sum + length, 0);
    const next = new Uint16Array(states * classCount);
    const depth = new Uint16Array(states);
    const ends = new Uint16Array(states);
    let count = 1;
    for (const form of forms) {
      let state = 0;
      for (const byte of form) {
        const edge = state * classCount + (classes[byte] as number);
        if (next[edge] === 0) {
          depth[count] = (depth[state] as number) + 1;
          next[edge] = count++;
        }
        state = next[edge] as number;
      }
      ends[state] = form.length;
    }
    // By depth, so that the state of a suffix is complete before those that fall back to it.
    const fallback = new Uint16Array(count);
    const queue = [...next.subarray(0, classCount)].filter((child) => child !== 0);
    for (let at = 0; at < queue.length; at++) {
      const state = queue[at] as number;
      const suffix = fallback[state] as number;
      ends[state] = Math.max(ends[state] as number, ends[suffix] as number);
      for (let each = 0; each < classCount; each++) {
        const edge = state * classCount + each;
        const child = next[edge] as number;
        const other = next[suffix * classCount + each] as number;
        if (child === 0) {
          next[edge] = other;
        } else {
          fallback[child] = other;
          queue.push(child);
        }
      }
    }
    this.#classes = classes;
    this.#classCount = classCount;
    this.#next = next;
    this.#depth = depth;
    this.#ends = ends;
  }
}
