/** After so many bytes the young generation is collected, if nothing else is said. */
const usualStep = 8 * 1024 * 1024;

let sinceCollection = 0;
let collect: ((options: { type: 'minor' }) => void) | undefined;

/**
 * To be told of each chunk of a body that passes through. Chunks live outside of V8's heap and are freed when
 * the small objects that stand for them are collected; those are so few and small that V8 waits, by which time
 * the chunks take a hundred megabytes and more. A collection of the young generation, in which next to nothing
 * is alive, takes less than a millisecond, and memory that is used again soon is in the processor's caches.
 *
 * @param step bytes between two collections; default 8 MiB. The smaller, the less memory and the more work.
 */
export function countStreamed(bytes: number, step = usualStep): void {
  sinceCollection += bytes;
  if (sinceCollection < step) return;
  sinceCollection = 0;
  collect ??= exposedCollector();
  collect({ type: 'minor' });
}

/** V8 shows its collector to contexts that are made after it was asked to. */
function exposedCollector() {
  // Loaded here: a proxy that streams nothing need not wait for them at its start.
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  return process.getBuiltinModule('node:vm').runInNewContext('gc') as (options: { type: 'minor' }) => void;
}
