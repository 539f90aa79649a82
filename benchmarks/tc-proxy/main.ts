import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../median.ts';
import {
  type ContenderName,
  contenderNames,
  otherCore,
  proxyCore,
  startContender,
  startJsonUpstream,
  startStreamUpstream,
  tcProxyCommand,
  tcProxyEnv,
} from './contenders.ts';
import {
  type Load,
  measureCredentialsUpdate,
  measureFirstCredentials,
  measureLoad,
  measureStart,
  measureTransfer,
} from './measure.ts';
import { barPlot } from './plot.ts';

/**
 * tc-proxy against nginx, which does not sign and so is the physical limit, and against `@fastify/http-proxy`
 * as it comes. A relay that does nothing else shows what Node and undici take. Every proxy has one core for itself;
 * load and upstream share the other. Interleaved, medians.
 * Rewrites the figures of the README and the plot beside it.
 *
 *   node benchmarks/tc-proxy/main.ts [ROUNDS [SECONDS]]
 *
 * Needs two cores, the bundle (`npm run build` in packages/tc-proxy), and `nginx`, `wrk`, `curl`, `taskset`.
 */
const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 1);
const concurrencies = [1, 16, 64, 256];
const bytes = 2 ** 30;
/** The bare relay takes no bodies, and buffering shows with large ones only. */
const transferring = contenderNames.filter((name) => name !== 'bare relay, unsigned');
const loaded = contenderNames.filter((name) => name !== 'nginx, unsigned, buffering');

if (availableParallelism() < 2) throw new Error('two cores are needed');
for (const tool of ['nginx', 'wrk', 'curl', 'taskset']) {
  execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
}
execFileSync('taskset', ['-cp', String(otherCore), String(process.pid)], { stdio: 'ignore' });
const folder = mkdtempSync(join(tmpdir(), 'bench-tc-proxy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let nextPort = 19_000 + (process.pid % 500) * 20;

const loads = new Map<string, Load[]>();
/** The most memory that each has taken, by what it did: MiB. */
const peaksOfLoad = new Map<ContenderName, number>();
await measureLoads();
const transfers = new Map<string, number[]>();
const peaks = new Map<ContenderName, number>();
await measureTransfers();
const updates = await measureUpdates();
const { starts, nodeAlone, idleMiB, firstUpdates } = await measureStarts();

const text = report();
console.log(text);
writeFileSync(join(import.meta.dirname, 'plot.svg'), plot());
const readme = join(import.meta.dirname, 'README.md');
const [before = '', rest = ''] = readFileSync(readme, 'utf8').split('<!-- figures -->\n');
const after = rest.split('<!-- end of figures -->')[1] ?? '';
writeFileSync(readme, `${before}<!-- figures -->\n\n${text}\n<!-- end of figures -->${after}`);
execFileSync(join(import.meta.dirname, '../../node_modules/.bin/biome'), ['format', '--write', readme]);

async function measureLoads(): Promise<void> {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  await using disposal = new AsyncDisposableStack();
  const proxies = new Map<ContenderName, Awaited<ReturnType<typeof startContender>>>();
  for (const name of loaded) {
    const proxy = disposal.use(await startContender(name, folder, nextPort++, upstream.port));
    proxies.set(name, proxy);
    // Until the code is compiled, which takes V8 some seconds on the one core that requests take, too.
    await measureLoad(proxy, 64, 6);
  }
  for (let round = 0; round < rounds; round++) {
    for (const connections of concurrencies) {
      for (const [name, proxy] of proxies) {
        add(loads, `${name} ${connections}`, await measureLoad(proxy, connections, seconds));
      }
    }
  }
  for (const [name, proxy] of proxies) {
    await measureLoad(proxy, 256, 10);
    peaksOfLoad.set(name, proxy.memory('VmHWM'));
  }
}

async function measureTransfers(): Promise<void> {
  await using upstream = await startStreamUpstream(nextPort++);
  await using disposal = new AsyncDisposableStack();
  // Sparse: it is read, but takes no space.
  const file = join(folder, 'upload');
  writeFileSync(file, '');
  truncateSync(file, bytes);
  const proxies = new Map<ContenderName, Awaited<ReturnType<typeof startContender>>>();
  for (const name of transferring) {
    proxies.set(name, disposal.use(await startContender(name, folder, nextPort++, upstream.port)));
  }
  for (let round = 0; round < rounds; round++) {
    for (const direction of ['GET', 'PUT'] as const) {
      for (const [name, proxy] of proxies) {
        add(transfers, `${name} ${direction}`, await measureTransfer(proxy, direction, file, bytes));
      }
    }
  }
  for (const [name, proxy] of proxies) peaks.set(name, proxy.memory('VmHWM'));
}

async function measureUpdates(): Promise<{ ms: number; failures: number }> {
  await using upstream = await startStreamUpstream(nextPort++);
  await using proxy = await startContender('tc-proxy', folder, nextPort++, upstream.port);
  const all: { ms: number; failures: number }[] = [];
  for (let round = 0; round < rounds; round++) all.push(await measureCredentialsUpdate(proxy.port));
  return {
    ms: median(all.map(({ ms }) => ms)),
    failures: all.reduce((sum, { failures }) => sum + failures, 0),
  };
}

async function measureStarts() {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  const times: number[] = [];
  const alone: number[] = [];
  const firsts: number[] = [];
  const env = tcProxyEnv(folder, upstream.port);
  for (let round = 0; round < rounds; round++) {
    const port = nextPort++;
    times.push(await measureStart(tcProxyCommand(port), env, port));
    const started = performance.now();
    execFileSync('taskset', ['-c', String(proxyCore), process.execPath, '--eval', '0']);
    alone.push(performance.now() - started);
    await using fresh = await startContender('tc-proxy', folder, nextPort++, upstream.port);
    firsts.push(await measureFirstCredentials(fresh.port));
  }
  await using proxy = await startContender('tc-proxy', folder, nextPort++, upstream.port);
  return {
    starts: median(times),
    nodeAlone: median(alone),
    idleMiB: proxy.memory('VmRSS'),
    firstUpdates: median(firsts),
  };
}

function report(): string {
  const version = (command: string) => execFileSync('sh', ['-c', `${command} 2>&1`], { encoding: 'utf8' });
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ` +
      `Node ${process.version}, ${version('nginx -v').replace(/.*\//, 'nginx ').trim()}; medians of ${rounds}.`,
    '',
    '| small GETs | requests/s | of nginx | p99, ms | CPU, µs each | failed |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  for (const connections of concurrencies) {
    for (const name of loaded) {
      const ofNginx = ratio('requestsPerSecond', connections, name, 'nginx, unsigned');
      const failed = (loads.get(`${name} ${connections}`) ?? []).reduce(
        (sum, load) => sum + load.failures,
        0,
      );
      lines.push(
        `| ${connections} connections: ${name} | ${Math.round(figure(name, connections, 'requestsPerSecond'))} | ` +
          `${ofNginx.toFixed(2)} | ${figure(name, connections, 'p99Ms').toFixed(1)} | ` +
          `${figure(name, connections, 'cpuMicros').toFixed(1)} | ${failed} |`,
      );
    }
  }
  lines.push(
    '',
    '| 1 GiB | GET, MiB/s | PUT, MiB/s | peak RSS, MiB | peak RSS with small GETs |',
    '| --- | --- | --- | --- | --- |',
  );
  for (const name of transferring) {
    const [down, up] = ['GET', 'PUT'].map((way) => Math.round(median(transfers.get(`${name} ${way}`) ?? [])));
    const small = peaksOfLoad.has(name) ? Math.round(peaksOfLoad.get(name) ?? 0) : 'not measured';
    lines.push(`| ${name} | ${down} | ${up} | ${Math.round(peaks.get(name) ?? 0)} | ${small} |`);
  }
  lines.push('', '| tc-proxy | measured | target |', '| --- | --- | --- |', ...targets(), '');
  return lines.join('\n');
}

function targets(): string[] {
  const of = (name: ContenderName, connections: number) =>
    ratio('requestsPerSecond', connections, 'tc-proxy', name).toFixed(2);
  const transfer = (way: string, to: ContenderName) =>
    (median(transfers.get(`tc-proxy ${way}`) ?? []) / median(transfers.get(`${to} ${way}`) ?? [])).toFixed(2);
  const p99 = ratio('p99Ms', 64, 'tc-proxy', 'nginx, unsigned');
  return [
    [
      'requests/s of nginx’s, 16 and 64 connections',
      `${of('nginx, unsigned', 16)}, ${of('nginx, unsigned', 64)}`,
      '0.35 or more',
    ],
    [
      'requests/s of stock http-proxy’s, 16 and 64',
      `${of('stock http-proxy', 16)}, ${of('stock http-proxy', 64)}`,
      '2.0 or more',
    ],
    [
      'requests/s of the bare relay’s, 16 and 64',
      `${of('bare relay, unsigned', 16)}, ${of('bare relay, unsigned', 64)}`,
      'reported',
    ],
    ['p99 of nginx’s, 64 connections', p99.toFixed(1), '4 or less'],
    ['p99, 256 connections', `${figure('tc-proxy', 256, 'p99Ms').toFixed(0)} ms`, '60 ms or less'],
    [
      'throughput of nginx’s, GET and PUT',
      `${transfer('GET', 'nginx, unsigned')}, ${transfer('PUT', 'nginx, unsigned')}`,
      '0.5 or more',
    ],
    [
      'throughput of buffering nginx’s, GET and PUT',
      `${transfer('GET', 'nginx, unsigned, buffering')}, ${transfer('PUT', 'nginx, unsigned, buffering')}`,
      '0.5 or more',
    ],
    [
      'peak RSS with small requests, 256 connections at the end',
      `${Math.round(peaksOfLoad.get('tc-proxy') ?? 0)} MiB`,
      '140 MiB or less',
    ],
    ['peak RSS with 1 GiB each way', `${Math.round(peaks.get('tc-proxy') ?? 0)} MiB`, '140 MiB or less'],
    [
      'new credentials, 64 slow requests in flight',
      `${updates.ms.toFixed(1)} ms, ${updates.failures} failed`,
      '10 ms, none',
    ],
    ['new credentials, the first in a process', `${firstUpdates.toFixed(1)} ms`, '10 ms'],
    ['start of the process to its first answer', `${Math.round(starts)} ms`, '130 ms or less'],
    ['start and end of Node that does nothing', `${Math.round(nodeAlone)} ms`, 'reported'],
    ['RSS when idle', `${Math.round(idleMiB)} MiB`, '85 MiB or less'],
    ['size of the image', imageSize(), 'reported'],
  ].map((cells) => `| ${cells.join(' | ')} |`);
}

function imageSize(): string {
  try {
    const argv = ['image', 'ls', '--format', '{{.Size}}', 'docker-worker/tc-proxy'];
    return execFileSync('docker', argv, { encoding: 'utf8', stdio: 'pipe' }).split('\n')[0] || 'not built';
  } catch {
    return 'no engine';
  }
}

function plot(): string {
  const colors = ['#999', '#2a6fdb', '#e0a030', '#8fbf8f'];
  return barPlot(
    'Signed requests per second on one core, by connections (nginx: unsigned)',
    concurrencies.map(String),
    loaded.map((name, index) => ({
      name,
      color: colors[index] ?? '#000',
      values: concurrencies.map((connections) => figure(name, connections, 'requestsPerSecond')),
    })),
  );
}

function figure(name: ContenderName, connections: number, key: keyof Load): number {
  return median((loads.get(`${name} ${connections}`) ?? []).map((load) => load[key]));
}

/**
 * Median of the rounds' ratios: the two were measured within seconds of each other, and the machine is at times
 * twice as fast as at others.
 */
function ratio(key: keyof Load, connections: number, name: ContenderName, to: ContenderName): number {
  const valuesOf = (each: ContenderName) =>
    (loads.get(`${each} ${connections}`) ?? []).map((load) => load[key]);
  const others = valuesOf(to);
  return median(valuesOf(name).map((value, round) => value / (others[round] ?? Number.NaN)));
}

function add<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
