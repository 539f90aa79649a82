import { rmSync } from 'node:fs';
import { median } from '../averages.ts';
import { rateOf, roundTripsOf, type StartTalk } from './rates.ts';
import { execTalk, webSocketTalk } from './talk.ts';
import { startTask } from './task.ts';

/**
 * A command in a task's container by the feature `interactive` (browser's side of the WebSocket, published
 * port, service, the worker's socket, engine) against `docker exec -i` of the same command in the same
 * container: how fast its output comes, and how long one line takes there and back. Interleaved; medians.
 *
 *   npm run bench:interactive [-- ROUNDS [MEGABYTES [ECHOES]]]
 */
const [rounds = 7, megabytes = 200, echoes = 300] = process.argv.slice(2).map(Number);

await using task = await startTask();
process.on('exit', () => rmSync(task.folder, { recursive: true, force: true }));
const ways: Record<string, StartTalk> = {
  'docker exec -i': (command) => execTalk(task.container, command),
  interactive: (command) => webSocketTalk(task.socket, command),
};
const rates = new Map<string, number[]>();
const roundTrips = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const [way, talk] of Object.entries(ways)) {
    rates.set(way, [...(rates.get(way) ?? []), await rateOf(talk, megabytes)]);
    roundTrips.set(way, [...(roundTrips.get(way) ?? []), ...(await roundTripsOf(talk, echoes))]);
  }
}
print();

function print(): void {
  const [exec = Number.NaN, own = Number.NaN] = Object.keys(ways).map((way) => median(rates.get(way) ?? []));
  const [execMs = Number.NaN, ownMs = Number.NaN] = Object.keys(ways).map((way) =>
    median(roundTrips.get(way) ?? []),
  );
  console.log(`| ${rounds} rounds, medians | docker exec -i | interactive | |\n|---|---|---|---|`);
  console.log(
    `| output of ${megabytes} MB, MB/s | ${exec.toFixed(0)} | ${own.toFixed(0)} | ratio ${(own / exec).toFixed(2)} |`,
  );
  console.log(
    `| echo of a line, ms | ${execMs.toFixed(2)} | ${ownMs.toFixed(2)} | ${(ownMs - execMs).toFixed(2)} more |`,
  );
}
