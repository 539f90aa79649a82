import { endCommandsWithThis } from '../harness/command.ts';
import { docker } from '../harness/host/host-contents.ts';
import { ThrowawayEngine } from '../harness/throwaway-engine.ts';
import { soakCrashes } from './crashes.ts';
import { soakEngineRestarts } from './engine-restarts.ts';
import type { Finding } from './finding.ts';
import { soakFlood } from './flood.ts';
import { onEngine } from './leftovers.ts';
import { soakPayloads } from './payloads.ts';
import { soakRenewals } from './renewals.ts';
import { soakShortShells, soakShortSidecars, soakShortTasks } from './short-tasks.ts';
import { soakShutdowns } from './shutdowns.ts';
import { soakTasks } from './tasks.ts';

/**
 * What takes too long for a test: does a worker stay as it was, however much it does and whatever happens to
 * it? Prints figures and exits with 1 when one of them is not as it must be.
 *
 *   npm run soak -- tasks|crashes|flood|payloads|engine-restarts|renewals|shutdowns|short-tasks
 *     |short-sidecars|short-shells [COUNT]
 */
const soaks: Record<string, { run(count: number): Promise<Finding[]>; usual: number }> = {
  tasks: { run: soakTasks, usual: 300 },
  crashes: { run: soakCrashes, usual: 100 },
  flood: { run: soakFlood, usual: 1024 },
  payloads: { run: soakPayloads, usual: 5000 },
  'engine-restarts': { run: withEngine(soakEngineRestarts), usual: 20 },
  renewals: { run: soakRenewals, usual: 10_000 },
  shutdowns: { run: soakShutdowns, usual: 200 },
  'short-tasks': { run: soakShortTasks, usual: 300 },
  'short-sidecars': { run: soakShortSidecars, usual: 300 },
  'short-shells': { run: soakShortShells, usual: 300 },
};

endCommandsWithThis();
const [name = '', count] = process.argv.slice(2);
const soak = soaks[name];
if (soak === undefined) {
  process.stderr.write(`usage: npm run soak -- ${Object.keys(soaks).join('|')} [COUNT]\n`);
  process.exit(2);
}
const volumes = async () => (await docker.listVolumes()).Volumes.map(({ Name }) => `volume ${Name}`);
const before = new Set(await volumes());
const findings = await soak.run(Number(count ?? soak.usual));
const left = [...(await onEngine()).values(), ...(await volumes()).filter((name) => !before.has(name))];
process.stderr.write(left.map((item) => `left: ${item}\n`).join(''));
findings.push({
  what: 'containers, networks and volumes left',
  figure: left.length,
  isGood: left.length === 0,
});
for (const { what, figure, isGood } of findings) {
  console.log(`| ${what} | ${figure} |${isGood === false ? ' <- not as it must be' : ''}`);
}
process.exitCode = findings.some(({ isGood }) => isGood === false) ? 1 : 0;

function withEngine(soak: (engine: ThrowawayEngine, count: number) => Promise<Finding[]>) {
  return async (count: number) => {
    await using engine = await ThrowawayEngine.start('docker-worker/example-task');
    return await soak(engine, count);
  };
}
