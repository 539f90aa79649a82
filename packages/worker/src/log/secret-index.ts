/** Bytes of a secret that are looked up; none is shorter. */
export const windowBytes = 6;

/** One text that must not be seen. */
export interface SecretForm {
  /** Its bytes are there, from `offset` on: many small buffers would take several times what is in them. */
  readonly block: Buffer;
  readonly offset: number;
  readonly length: number;
  /** How many secrets have it. */
  uses: number;
  /** Another one whose first bytes have the same hash. */
  next: SecretForm | undefined;
}

const blockBytes = 16 * 1024;

const multiplier = 0x01000193;
/** Of the filter, for as many forms as one run usually has, and for any number. */
const [usualBits, manyBits] = [2 ** 18, 2 ** 24];
const usualForms = 2_000;

/**
 * Finds by a hash of their first bytes which secrets may begin at a place. Adding one costs what it is long, whatever else is known,
 * and takes little more memory than its bytes.
 */
export class SecretIndex {
  readonly #byHash = new Map<number, SecretForm>();
  #block = Buffer.alloc(0);
  #used = 0;
  #size = 0;
  /** Hashes of windows and of the beginnings of windows; what has been removed stays until it is made anew. */
  #filter = new Uint8Array(usualBits / 8);
  #shift = 32 - Math.log2(usualBits);
  #removed = 0;

  get size(): number {
    return this.#size;
  }

  add(bytes: Buffer): SecretForm {
    const hash = windowHash(bytes, 0);
    const first = this.#byHash.get(hash);
    for (let known = first; known !== undefined; known = known.next) {
      if (bytes.compare(known.block, known.offset, known.offset + known.length) === 0) {
        known.uses++;
        return known;
      }
    }
    const form = { ...this.#keep(bytes), length: bytes.length, uses: 1, next: first };
    this.#byHash.set(hash, form);
    this.#size++;
    if (this.#size === usualForms + 1 && this.#filter.length * 8 === usualBits) {
      this.#makeFilter();
    } else {
      this.#note(bytes, 0);
    }
    return form;
  }

  remove(form: SecretForm): void {
    form.uses--;
    if (form.uses > 0) {
      return;
    }
    const hash = windowHash(form.block, form.offset);
    const first = this.#byHash.get(hash);
    if (first === form && form.next === undefined) {
      this.#byHash.delete(hash);
    } else if (first === form && form.next !== undefined) {
      this.#byHash.set(hash, form.next);
    } else {
      let before = first;
      while (before !== undefined && before.next !== form) {
        before = before.next;
      }
      if (before !== undefined) {
        before.next = form.next;
      }
    }
    this.#size--;
    this.#removed++;
    if (this.#removed > usualForms && this.#size <= usualForms) {
      this.#makeFilter();
    }
  }

  /** Calls back for each place between the two at which a window begins that a form begins with. */
  scan(bytes: Buffer, from: number, found: (form: SecretForm, start: number) => void): void {
    const last = bytes.length - windowBytes;
    if (from > last) {
      return;
    }
    const filter = this.#filter;
    const shift = this.#shift;
    let hash = windowHash(bytes, from);
    for (let start = from; ; start++) {
      const bit = Math.imul(hash, spread) >>> shift;
      if (((filter[bit >>> 3] as number) >>> (bit & 7)) & 1) {
        for (let form = this.#byHash.get(hash); form !== undefined; form = form.next) {
          found(form, start);
        }
      }
      if (start === last) {
        return;
      }
      hash =
        (Math.imul(hash, multiplier) +
          (bytes[start + windowBytes] as number) +
          1 -
          Math.imul((bytes[start] as number) + 1, outgoing)) |
        0;
    }
  }

  /** Where the last bytes begin that may turn out to be a secret's first. */
  tail(bytes: Buffer): number {
    for (let start = Math.max(0, bytes.length - windowBytes + 1); start < bytes.length; start++) {
      if (this.#has(prefixHash(bytes, start, bytes.length - start)) && this.#begins(bytes, start)) {
        return start;
      }
    }
    return bytes.length;
  }

  /** Whether a form begins with the bytes from there on; the filter also says so of others. */
  #begins(bytes: Buffer, start: number): boolean {
    const length = bytes.length - start;
    for (const first of this.#byHash.values()) {
      for (let form: SecretForm | undefined = first; form !== undefined; form = form.next) {
        const { block, offset } = form;
        if (
          block[offset] === bytes[start] &&
          bytes.compare(block, offset, offset + length, start, start + length) === 0
        ) {
          return true;
        }
      }
    }
    return false;
  }

  #makeFilter(): void {
    const bits = this.#size > usualForms ? manyBits : usualBits;
    this.#filter = new Uint8Array(bits / 8);
    this.#shift = 32 - Math.log2(bits);
    this.#removed = 0;
    for (const first of this.#byHash.values()) {
      for (let form: SecretForm | undefined = first; form !== undefined; form = form.next) {
        this.#note(form.block, form.offset);
      }
    }
  }

  #keep(bytes: Buffer): { block: Buffer; offset: number } {
    if (bytes.length > blockBytes / 4) {
      return { block: bytes, offset: 0 };
    }
    if (this.#used + bytes.length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#used = 0;
    }
    const offset = this.#used;
    this.#used += bytes.copy(this.#block, offset);
    return { block: this.#block, offset };
  }

  #note(bytes: Buffer, start: number): void {
    for (let length = 1; length <= windowBytes; length++) {
      const bit = Math.imul(prefixHash(bytes, start, length), spread) >>> this.#shift;
      this.#filter[bit >>> 3] = (this.#filter[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }

  #has(hash: number): boolean {
    const bit = Math.imul(hash, spread) >>> this.#shift;
    return (((this.#filter[bit >>> 3] as number) >>> (bit & 7)) & 1) === 1;
  }
}

/** Multiplied with, the high bits of a product depend on all bits of a hash. */
const spread = 0x9e3779b1;

/** What the first byte of a window counts when it leaves it. */
const outgoing = Array.from({ length: windowBytes }).reduce<number>(
  (product) => Math.imul(product, multiplier),
  1,
);

function windowHash(bytes: Buffer, start: number): number {
  return prefixHash(bytes, start, windowBytes);
}

/** A zero byte counts, too, so that a beginning of a beginning has another hash. */
function prefixHash(bytes: Buffer, start: number, length: number): number {
  let hash = 0;
  for (let at = start; at < start + length; at++) {
    hash = (Math.imul(hash, multiplier) + (bytes[at] as number) + 1) | 0;
  }
  return hash;
}
