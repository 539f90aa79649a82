import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  otherCore,
  proxyCore,
  startJsonUpstream,
  startStreamUpstream,
  tcProxyCommand,
  tcProxyEnv,
} from './contenders.ts';
import { type Device, devices } from './devices.ts';
import { Figures } from './figures.ts';
import { measureLoad, measureStart, measureTransfer } from './measure.ts';
import { bundleWithout } from './patched-bundle.ts';
import { PinnedProcess } from './pinned-process.ts';
import { table } from './tables.ts';

/**
 * What each device of tc-proxy that is there for speed or memory alone brings: the proxy without it, against the whole one.
 * All are bundled, run interleaved on the same core, and compared round by round; prints a table for the README.
 *
 *   node benchmarks/tc-proxy/without-each.ts [ROUNDS [NAME]]
 *
 * A round takes about two minutes. `NAME` measures only the devices with this in their names. Needs what `main.ts` needs.
 */
const rounds = Number(process.argv[2] ?? 5);
const [, , , only = ''] = process.argv;
const seconds = 1;
const bytes = 2 ** 30;

/** The second one shows what the noise is. */
const whole: Device = { name: 'nothing' };
const variants = [whole, { name: 'nothing, again' }, ...devices.filter(({ name }) => name.includes(only))];

interface Built {
  name: string;
  command(port: number): string[];
  env(upstreamPort: number): Record<string, string>;
}

execFileSync('taskset', ['-cp', String(otherCore), String(process.pid)], { stdio: 'ignore' });
const folder = mkdtempSync(join(tmpdir(), 'bench-tc-proxy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let nextPort = 19_000 + (process.pid % 500) * 20;

const figures = new Figures();
const all: Built[] = [];
for (const device of variants) {
  const main = await bundleWithout(device, join(folder, String(all.length)));
  const { flags = [], variables = [] } = device;
  const command = (port: number) => tcProxyCommand(main, port).filter((part) => !flags.includes(part));
  const env = (upstreamPort: number) => {
    const given = Object.entries(tcProxyEnv(folder, upstreamPort));
    return Object.fromEntries(given.filter(([name]) => !variables.includes(name)));
  };
  all.push({ name: device.name, command, env });
}
await measureLoads();
await measureTransfers();
// Last, since the processes above have filled the compile cache.
await measureStarts();
print();

async function measureStarts(): Promise<void> {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  for (let round = 0; round < rounds * 3; round++) {
    for (const each of inTurn(all, round)) {
      const port = nextPort++;
      figures.add(each.name, 'start', await measureStart(each.command(port), each.env(upstream.port), port));
    }
  }
}

async function measureLoads(): Promise<void> {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  await using started = await startAll(upstream.port);
  // Until the code is compiled.
  for (const proxy of started.proxies.values()) await measureLoad(proxy, 64, 4);
  for (let round = 0; round < rounds; round++) {
    for (const connections of [64, 256]) {
      for (const [each, proxy] of inTurn([...started.proxies], round)) {
        const { requestsPerSecond, cpuMicros, p99Ms } = await measureLoad(proxy, connections, seconds);
        figures.add(each.name, `requests ${connections}`, requestsPerSecond);
        figures.add(each.name, `cpu ${connections}`, cpuMicros);
        figures.add(each.name, `p99 ${connections}`, p99Ms);
      }
    }
  }
  for (const [each, proxy] of started.proxies) {
    await measureLoad(proxy, 256, 10);
    figures.add(each.name, 'peak small', proxy.memory('VmHWM'));
  }
}

async function measureTransfers(): Promise<void> {
  await using upstream = await startStreamUpstream(nextPort++);
  await using started = await startAll(upstream.port);
  const file = join(folder, 'upload');
  writeFileSync(file, '');
  truncateSync(file, bytes);
  for (let round = 0; round < rounds; round++) {
    for (const direction of ['GET', 'PUT'] as const) {
      for (const [each, proxy] of inTurn([...started.proxies], round))
        figures.add(each.name, direction, await measureTransfer(proxy, direction, file, bytes));
    }
  }
  for (const [each, proxy] of started.proxies) figures.add(each.name, 'peak large', proxy.memory('VmHWM'));
}

async function startAll(upstreamPort: number) {
  const proxies = new Map<Built, PinnedProcess>();
  const disposal = new AsyncDisposableStack();
  for (const each of all) {
    const port = nextPort++;
    const started = PinnedProcess.start(proxyCore, each.command(port), port, each.env(upstreamPort));
    proxies.set(each, disposal.use(await started));
  }
  return { proxies, [Symbol.asyncDispose]: () => disposal.disposeAsync() };
}

function print(): void {
  const ratios: Record<string, string> = {
    'requests 64': 'requests/s, 64',
    'requests 256': '256 connections',
    'cpu 64': 'CPU each, 64',
    'cpu 256': '256',
    'p99 256': 'p99, 256',
    start: 'start',
    GET: 'GET 1 GiB',
    PUT: 'PUT 1 GiB',
  };
  const peaks = { 'peak small': 'peak RSS, small, MiB', 'peak large': '1 GiB, MiB' };
  const rows = all.map(({ name }) => [
    name,
    ...Object.keys(ratios).map((what) => figures.ratio(name, what, whole.name).toFixed(2)),
    ...Object.keys(peaks).map((what) => figures.highest(name, what).toFixed(0)),
  ]);
  console.log(table(['without', ...Object.values(ratios), ...Object.values(peaks)], rows));
}

/** None is always the first. */
function inTurn<Item>(items: readonly Item[], round: number): Item[] {
  const first = round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
