import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Figures } from '../figures.ts';
import { bundleWithout } from '../patched-bundle.ts';
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
  measureCredentialsUpdate,
  measureFirstCredentials,
  measureLoad,
  measureStart,
  measureTransfer,
} from './measure.ts';
import type { PinnedProcess } from './pinned-process.ts';
import { plot } from './plot.ts';
import { concurrencies, tables, transferring } from './tables.ts';

/**
 * tc-proxy against nginx, which does not sign and so is the physical limit, and against `@fastify/http-proxy`
 * as it comes. A relay that does nothing else shows what Node and undici take. Every proxy has one core for itself;
 * load and upstream share the other. Interleaved, medians, and all rounds.
 * Rewrites the figures of the README and the plot beside it.
 *
 *   npm run bench:tc-proxy [-- ROUNDS [SECONDS [MINUTES]]]
 *
 * Begins no round after so many minutes (default: 15). Needs two cores, and `nginx`, `wrk`, `curl`, `taskset`.
 */
const [rounds = 5, seconds = 1, minutes = 15] = process.argv.slice(2).map(Number);
const bytes = 2 ** 30;

if (availableParallelism() < 2) throw new Error('two cores are needed');
for (const tool of ['nginx', 'wrk', 'curl', 'taskset']) {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
  } catch {
    throw new Error(`${tool} is not installed`);
  }
}
execFileSync('taskset', ['-cp', String(otherCore), String(process.pid)], { stdio: 'ignore' });
const folder = mkdtempSync(join(tmpdir(), 'bench-tc-proxy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const bundle = await bundleWithout({ name: 'nothing' }, 'tc-proxy', join(folder, 'tc-proxy'));
let nextPort = 19_000 + (process.pid % 500) * 20;

const figures = new Figures();
await measureLoads(until(0.5));
await measureTransfers(until(0.85));
await measureUpdates(until(0.92));
await measureStarts(until(1));

const text = tables(figures);
console.log(text);
writeFileSync(join(import.meta.dirname, 'plot.svg'), plot(figures));
const readme = join(import.meta.dirname, 'README.md');
const [before = '', rest = ''] = readFileSync(readme, 'utf8').split('<!-- figures -->\n');
const after = rest.split('<!-- end of figures -->')[1] ?? '';
writeFileSync(readme, `${before}<!-- figures -->\n\n${text}\n<!-- end of figures -->${after}`);
execFileSync(join(import.meta.dirname, '../../node_modules/.bin/biome'), ['format', '--write', readme]);

/** The rounds of a phase, at least one, which has to be over after this share of the minutes. */
function* until(share: number): Generator<number> {
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && performance.now() > share * minutes * 60_000) return;
    yield round;
  }
}

async function measureLoads(phase: Iterable<number>): Promise<void> {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  await using disposal = new AsyncDisposableStack();
  const proxies = new Map<ContenderName, PinnedProcess>();
  for (const name of contenderNames) {
    const proxy = disposal.use(await start(name, upstream.port));
    proxies.set(name, proxy);
    figures.add(name, 'idle MiB', proxy.memory('VmRSS'));
    // Until the code is compiled, which takes V8 some seconds on the one core that requests take, too.
    await measureLoad(proxy, 64, 6);
  }
  for (const _ of phase) {
    for (const connections of concurrencies) {
      for (const [name, proxy] of proxies) {
        const load = await measureLoad(proxy, connections, seconds);
        for (const [what, value] of Object.entries(load)) figures.add(name, `${what} ${connections}`, value);
      }
    }
  }
  for (const [name, proxy] of proxies) {
    proxy.forgetPeak();
    await measureLoad(proxy, 256, 10);
    figures.add(name, 'small MiB', proxy.memory('VmHWM'));
  }
}

async function measureTransfers(phase: Iterable<number>): Promise<void> {
  await using upstream = await startStreamUpstream(nextPort++);
  await using disposal = new AsyncDisposableStack();
  // Sparse: it is read, but takes no space.
  const file = join(folder, 'upload');
  writeFileSync(file, '');
  truncateSync(file, bytes);
  const proxies = new Map<ContenderName, PinnedProcess>();
  for (const name of transferring) proxies.set(name, disposal.use(await start(name, upstream.port)));
  for (const _ of phase) {
    for (const direction of ['GET', 'PUT'] as const) {
      for (const [name, proxy] of proxies) {
        proxy.forgetPeak();
        figures.add(name, direction, await measureTransfer(proxy, direction, file, bytes));
        figures.add(name, `${direction} MiB`, proxy.memory('VmHWM'));
      }
    }
  }
}

async function measureUpdates(phase: Iterable<number>): Promise<void> {
  await using upstream = await startStreamUpstream(nextPort++);
  await using proxy = await start('tc-proxy', upstream.port);
  for (const _ of phase) {
    const { ms, failures } = await measureCredentialsUpdate(proxy.port);
    figures.add('tc-proxy', 'update', ms);
    figures.add('tc-proxy', 'failed updates', failures);
  }
}

/** Those before have filled the compile cache, which an image brings. */
async function measureStarts(phase: Iterable<number>): Promise<void> {
  await using upstream = await startJsonUpstream(folder, nextPort++);
  const env = tcProxyEnv(folder, upstream.port);
  for (const _ of phase) {
    const port = nextPort++;
    figures.add('tc-proxy', 'start', await measureStart(tcProxyCommand(bundle, port), env, port));
    const started = performance.now();
    execFileSync('taskset', ['-c', String(proxyCore), process.execPath, '--eval', '0']);
    figures.add('node', 'start', performance.now() - started);
    const first = nextPort++;
    figures.add(
      'tc-proxy',
      'first update',
      await measureFirstCredentials(tcProxyCommand(bundle, first), env, first),
    );
  }
}

function start(name: ContenderName, upstreamPort: number): Promise<PinnedProcess> {
  return startContender(name, { folder, bundle, port: nextPort++, upstreamPort });
}
