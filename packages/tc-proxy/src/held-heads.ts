/** Something that waits for the end of the present turn. */
export interface Held {
  release(): void;
}

let held: Held[] = [];
let spare: Held[] = [];

/**
 * Releases it when what has arrived so far is worked off. One task for all that wait, since under load many
 * answers arrive in each turn.
 */
export function afterThisTurn(one: Held): void {
  if (held.push(one) === 1) queueMicrotask(releaseAll);
}

function releaseAll(): void {
  const all = held;
  held = spare;
  spare = all;
  for (const one of all) one.release();
  all.length = 0;
}
