import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { SecretMask } from '../../packages/worker/src/log/secret-mask.ts';
import { median } from '../averages.ts';

/**
 * How long the worker does nothing else while the mask of its logs learns secrets, and what they take, from an empty mask;
 * run with `--expose-gc`.
 */
const rounds = 5;
const cases: Record<string, () => string[]> = {
  'one of 13,600 characters': () => [text(13_600)],
  'one of a mebibyte': () => [text(1024 * 1024)],
  '10,000 that are a mebibyte together': () => Array.from({ length: 10_000 }, () => text(105)),
};

process.stdout.write(
  '| secrets | turns | longest turn of each round, ms | memory, MiB |\n| --- | --- | --- | --- |\n',
);
for (const [name, make] of Object.entries(cases)) {
  const figures: Awaited<ReturnType<typeof learn>>[] = [];
  for (let round = 0; round < rounds; round++) {
    figures.push(await learn(make()));
  }
  const cells = [
    figures[0]?.turns,
    figures.map(({ longestMs }) => longestMs.toFixed(1)).join(', '),
    median(figures.map(({ mebibytes }) => mebibytes)).toFixed(1),
  ];
  process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`);
}

async function learn(secrets: string[]) {
  const before = memory();
  const mask = new SecretMask();
  const learning = mask.learn(secrets).then(() => true);
  let turns = 0;
  let longestMs = 0;
  for (let done = false; !done; turns++) {
    const started = performance.now();
    done = await Promise.race([learning, setImmediate(false)]);
    longestMs = Math.max(longestMs, performance.now() - started);
  }
  const mebibytes = (memory() - before) / 2 ** 20;
  // Both must live until they were weighed.
  mask.flush();
  return { turns, longestMs, mebibytes, secrets: secrets.length };
}

function text(length: number): string {
  return randomBytes(Math.ceil(length / 2))
    .toString('hex')
    .slice(0, length);
}

/** What is in use, garbage aside. */
function memory(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
