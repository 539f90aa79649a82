import { z } from 'zod';

/** Something that goes wrong with requests. Parts that are absent are not looked at or do not happen. */
export const Fault = z.strictObject({
  method: z.string().optional(),
  /** Part of the path, without the query. */
  path: z.string().optional(),
  /** How many requests it befalls; absent: all. */
  times: z.int().positive().optional(),
  /** Milliseconds before the answer. */
  delayMs: z.number().min(0).optional(),
  /** Answered in place of the real answer. */
  status: z.int().min(100).max(599).optional(),
  body: z.unknown().optional(),
  /** Carried out, but the connection ends without an answer. */
  loseAnswer: z.boolean().optional(),
  /** The connection ends and nothing is carried out. */
  hangUp: z.boolean().optional(),
});
export type Fault = z.infer<typeof Fault>;

/** Faults in the order in which they were asked for; a request meets the first that is meant for it. */
export class Faults {
  readonly #faults: Fault[] = [];

  add(fault: Fault): void {
    this.#faults.push({ ...fault });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  meet(method: string, path: string): Fault | undefined {
    const fault = this.#faults.find(
      (candidate) =>
        (candidate.method === undefined || candidate.method.toUpperCase() === method) &&
        path.includes(candidate.path ?? ''),
    );
    if (fault?.times !== undefined) {
      fault.times -= 1;
      if (fault.times === 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    }
    return fault;
  }
}
