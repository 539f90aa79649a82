import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Figures } from '../figures.ts';
import { bundleWithout } from '../patched-bundle.ts';
import {
  otherCore,
  proxyCore,
  startJsonUpstream,
  startStreamUpstream,
  tcProxyCommand,
  tcProxyEnv,
} from './contenders.ts';
import { type Device, devices } from './devices.ts';
import { measureLoad, measureStart, measureTransfer } from './measure.ts';
import { PinnedProcess } from './pinned-process.ts';
import { table } from './tables.ts';

/**
 * What each device of tc-proxy that is there for speed or memory alone brings. The proxy without it and the whole one take
 * small requests at the same time on the same core, so that whatever else the machine does meets both; transfers and starts
 * take turns. Prints what the proxy without it needs of what the whole one needs, as medians of the rounds' ratios.
 *
 *   node benchmarks/tc-proxy/without-each.ts [ROUNDS [NAME]]
 *
 * A round takes ten seconds for each device. `NAME` measures only those with this in their names. Needs what `main.ts` needs.
 */
const rounds = Number(process.argv[2] ?? 3);
const [, , , only = ''] = process.argv;
const seconds = 4;
const bytes = 2 ** 29;

/** Show what the noise is. */
const nothings = (['requests', 'bodies', 'start'] as const).map(
  (affects): Device => ({ name: 'nothing', affects }),
);

/** A proxy that can be started: the whole one, or one that lacks a device. */
interface Build {
  name: string;
  affects: Device['affects'];
  command(port: number): string[];
  env(upstreamPort: number): Record<string, string>;
}

execFileSync('taskset', ['-cp', String(otherCore), String(process.pid)], { stdio: 'ignore' });
const folder = mkdtempSync(join(tmpdir(), 'bench-tc-proxy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let nextPort = 19_000 + (process.pid % 500) * 20;
const whole = await built({ name: 'the whole proxy', affects: 'requests' });
const others: Build[] = [];
for (const device of [...nothings, ...devices]) {
  if (device.name.includes(only)) others.push(await built(device));
}

const requests = ['requests/s 64', 'requests/s 256', 'CPU each 64', 'CPU each 256', 'p99 256'];
await print('requests', measureRequests, requests, ['peak RSS, MiB']);
await print('bodies', measureBodies, ['GET, MiB/s', 'PUT, MiB/s'], ['peak RSS, MiB']);
await print('start', measureStarts, ['start'], []);

async function print(
  affects: Device['affects'],
  measure: (pair: readonly [Build, Build], figures: Figures) => Promise<void>,
  ratios: readonly string[],
  peaks: readonly string[],
): Promise<void> {
  const rows: string[][] = [];
  for (const other of others.filter((each) => each.affects === affects)) {
    const figures = new Figures();
    await measure([whole, other], figures);
    const { name } = other;
    rows.push([
      name,
      ...ratios.map((what) => figures.ratio(name, what, whole.name).toFixed(2)),
      ...peaks.map(
        (what) =>
          `${figures.highest(name, what).toFixed(0)} in place of ${figures.highest(whole.name, what).toFixed(0)}`,
      ),
    ]);
    process.stderr.write(`${rows.at(-1)?.join(' | ')}\n`);
  }
  if (rows.length > 0) console.log(`${table(['without', ...ratios, ...peaks], rows)}\n`);
}

async function built(device: Device): Promise<Build> {
  const main = await bundleWithout(device, 'tc-proxy', mkdtempSync(join(folder, 'bundle-')));
  const { name, affects, flags = [], variables = [] } = device;
  return {
    ...{ name, affects },
    command: (port) => tcProxyCommand(main, port).filter((part) => !flags.includes(part)),
    env: (upstreamPort) =>
      Object.fromEntries(
        Object.entries(tcProxyEnv(folder, upstreamPort)).filter(([key]) => !variables.includes(key)),
      ),
  };
}

async function measureRequests(pair: readonly [Build, Build], figures: Figures): Promise<void> {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  await using started = await startAll(pair, upstream.port);
  const both = [...started.proxies];
  // Until the code is compiled.
  await Promise.all(both.map(([, proxy]) => measureLoad(proxy, 64, seconds)));
  for (let round = 0; round < rounds; round++) {
    for (const connections of [64, 256]) {
      await Promise.all(
        both.reverse().map(async ([{ name }, proxy]) => {
          const load = await measureLoad(proxy, connections, seconds);
          figures.add(name, `requests/s ${connections}`, load.requestsPerSecond);
          figures.add(name, `CPU each ${connections}`, load.cpuMicros);
          figures.add(name, `p99 ${connections}`, load.p99Ms);
        }),
      );
    }
  }
  for (const [{ name }, proxy] of both) figures.add(name, 'peak RSS, MiB', proxy.memory('VmHWM'));
}

async function measureBodies(pair: readonly [Build, Build], figures: Figures): Promise<void> {
  await using upstream = await startStreamUpstream(nextPort++);
  await using started = await startAll(pair, upstream.port);
  const both = [...started.proxies];
  // Sparse: it is read, but takes no space.
  const file = join(folder, 'upload');
  writeFileSync(file, '');
  truncateSync(file, bytes);
  for (let round = 0; round < rounds; round++) {
    for (const direction of ['GET', 'PUT'] as const) {
      for (const [{ name }, proxy] of both.reverse())
        figures.add(name, `${direction}, MiB/s`, await measureTransfer(proxy, direction, file, bytes));
    }
  }
  for (const [{ name }, proxy] of both) figures.add(name, 'peak RSS, MiB', proxy.memory('VmHWM'));
}

/** The processes before have filled the compile cache; only one that ends in peace does so. */
async function measureStarts(pair: readonly [Build, Build], figures: Figures): Promise<void> {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  await (await startAll(pair, upstream.port))[Symbol.asyncDispose]();
  for (let round = 0; round < rounds * 4; round++) {
    for (const each of round % 2 === 0 ? pair : pair.toReversed()) {
      const port = nextPort++;
      figures.add(each.name, 'start', await measureStart(each.command(port), each.env(upstream.port), port));
    }
  }
}

async function startAll(builds: readonly Build[], upstreamPort: number) {
  const disposal = new AsyncDisposableStack();
  const proxies = new Map<Build, PinnedProcess>();
  for (const each of builds) {
    const port = nextPort++;
    const started = PinnedProcess.start(proxyCore, each.command(port), port, each.env(upstreamPort));
    proxies.set(each, disposal.use(await started));
  }
  return { proxies, [Symbol.asyncDispose]: () => disposal.disposeAsync() };
}
