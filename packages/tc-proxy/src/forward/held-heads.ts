/** Something that waits for the end of the present turn of the event loop. */
export interface Held {
  release(): void;
}

let held: Held[] = [];
let spare: Held[] = [];

/**
 * Releases it when all that has arrived in this turn is worked off. Under load many answers arrive in each turn, and
 * when they are written one right after the other, the clients' process is woken once for all of them and the
 * code that writes stays in the processor's cache: a tenth more requests than with each written in its place.
 */
export function atEndOfTurn(one: Held): void {
  if (held.push(one) === 1) setImmediate(releaseAll);
}

function releaseAll(): void {
  const all = held;
  held = spare;
  spare = all;
  for (const one of all) one.release();
  all.length = 0;
}
