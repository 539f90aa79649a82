import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import type { Figures } from '../figures.ts';
import { type ContenderName, contenderNames } from './contenders.ts';

export const concurrencies = [1, 16, 64, 256];
/** The bare relay takes no bodies. */
export const transferring = contenderNames.filter((name) => name !== 'bare relay, unsigned');

const nginx = 'nginx, unsigned';
const buffering = 'nginx, unsigned, buffering';
const own = 'tc-proxy';

/** All that was measured, as Markdown. */
export function tables(figures: Figures): string {
  return [
    conditions(figures),
    smallRequests(figures),
    largeBodies(figures),
    memory(figures),
    targets(figures),
    '### Every round',
    'In the order in which they were run.',
    rounds(figures),
    '',
  ].join('\n\n');
}

function conditions(figures: Figures): string {
  const nginxVersion = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' });
  const count = figures.rounds(own, 'GET').length;
  return (
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ` +
    `Node ${process.version}, ${nginxVersion.replace(/.*\//, 'nginx ').trim()}; medians of ${count}.`
  );
}

function smallRequests(figures: Figures): string {
  const rows = concurrencies.flatMap((connections) =>
    contenderNames.map((name) => [
      `${connections} connections: ${name}`,
      figures.median(name, `requestsPerSecond ${connections}`).toFixed(0),
      figures.ratio(name, `requestsPerSecond ${connections}`, nginx).toFixed(2),
      figures.median(name, `p99Ms ${connections}`).toFixed(1),
      figures.median(name, `cpuMicros ${connections}`).toFixed(1),
      String(figures.sum(name, `failures ${connections}`)),
    ]),
  );
  return table(['small GETs', 'requests/s', 'of nginx', 'p99, ms', 'CPU, µs each', 'failed'], rows);
}

function largeBodies(figures: Figures): string {
  const rows = transferring.map((name) => [
    name,
    ...['GET', 'PUT'].flatMap((way) => [
      figures.median(name, way).toFixed(0),
      figures.ratio(name, way, nginx).toFixed(2),
      figures.ratio(name, way, buffering).toFixed(2),
    ]),
  ]);
  const ofBoth = ['of nginx', 'of buffering nginx'];
  return table(['1 GiB', 'GET, MiB/s', ...ofBoth, 'PUT, MiB/s', ...ofBoth], rows);
}

function memory(figures: Figures): string {
  const phases = ['idle MiB', 'small MiB', 'GET MiB', 'PUT MiB'];
  const rows = contenderNames.map((name) => [
    name,
    ...phases.map((phase) =>
      figures.rounds(name, phase).length === 0 ? 'takes none' : figures.highest(name, phase).toFixed(0),
    ),
  ]);
  return table(
    ['peak RSS, MiB', 'idle', 'small GETs, 256 connections', 'GET of 1 GiB', 'PUT of 1 GiB'],
    rows,
  );
}

function targets(figures: Figures): string {
  const requests = (to: ContenderName) =>
    [16, 64].map((each) => figures.ratio(own, `requestsPerSecond ${each}`, to).toFixed(2)).join(', ');
  const throughput = (to: ContenderName) =>
    ['GET', 'PUT'].map((way) => figures.ratio(own, way, to).toFixed(2)).join(', ');
  const peak = Math.max(figures.highest(own, 'GET MiB'), figures.highest(own, 'PUT MiB'));
  const update = `${figures.median(own, 'update').toFixed(1)} ms, ${figures.sum(own, 'failed updates')} failed`;
  return table(
    ['tc-proxy', 'measured', 'target'],
    [
      ['requests/s of nginx’s, 16 and 64 connections', requests(nginx), '0.40 or more'],
      ['requests/s of stock http-proxy’s, 16 and 64', requests('stock http-proxy'), '2.0 or more'],
      ['requests/s of the bare relay’s, 16 and 64', requests('bare relay, unsigned'), 'reported'],
      ['p99 of nginx’s, 64 connections', figures.ratio(own, 'p99Ms 64', nginx).toFixed(1), '4 or less'],
      ['p99, 256 connections', `${figures.median(own, 'p99Ms 256').toFixed(0)} ms`, '60 ms or less'],
      ['throughput of nginx’s, GET and PUT', throughput(nginx), '0.5 or more'],
      ['throughput of buffering nginx’s, GET and PUT', throughput(buffering), '0.5 or more'],
      [
        'peak RSS with small requests, 256 connections',
        `${figures.highest(own, 'small MiB').toFixed(0)} MiB`,
        '140 MiB or less',
      ],
      ['peak RSS with 1 GiB each way', `${peak.toFixed(0)} MiB`, '140 MiB or less'],
      ['new credentials, 64 slow requests in flight', update, '10 ms, none'],
      [
        'new credentials, the first in a process',
        `${figures.median(own, 'first update').toFixed(1)} ms`,
        '10 ms',
      ],
      [
        'start of the process to its first answer',
        `${figures.median(own, 'start').toFixed(0)} ms`,
        '130 ms or less',
      ],
      [
        'start and end of Node that does nothing',
        `${figures.median('node', 'start').toFixed(0)} ms`,
        'reported',
      ],
      ['RSS when idle', `${figures.median(own, 'idle MiB').toFixed(0)} MiB`, '85 MiB or less'],
      ['size of the image', imageSize(), 'reported'],
    ],
  );
}

function rounds(figures: Figures): string {
  const measured: [title: string, who: string, what: string, digits: number][] = [
    ...concurrencies.flatMap((each) =>
      contenderNames.flatMap((name): typeof measured => [
        [`${each} connections, requests/s: ${name}`, name, `requestsPerSecond ${each}`, 0],
        [`${each} connections, p99, ms: ${name}`, name, `p99Ms ${each}`, 1],
      ]),
    ),
    ...['GET', 'PUT'].flatMap((way) =>
      transferring.flatMap((name): typeof measured => [
        [`${way} of 1 GiB, MiB/s: ${name}`, name, way, 0],
        [`${way} of 1 GiB, peak RSS, MiB: ${name}`, name, `${way} MiB`, 0],
      ]),
    ),
    ['new credentials, 64 slow requests in flight, ms', own, 'update', 1],
    ['new credentials, the first in a process, ms', own, 'first update', 1],
    ['start of the process to its first answer, ms', own, 'start', 0],
    ['start and end of Node that does nothing, ms', 'node', 'start', 0],
  ];
  return table(
    ['', 'rounds'],
    measured.map(([title, who, what, digits]) => [
      title,
      figures
        .rounds(who, what)
        .map((value) => value.toFixed(digits))
        .join(', '),
    ]),
  );
}

function imageSize(): string {
  try {
    const argv = ['image', 'ls', '--format', '{{.Size}}', 'docker-worker/tc-proxy'];
    return execFileSync('docker', argv, { encoding: 'utf8', stdio: 'pipe' }).split('\n')[0] || 'not built';
  } catch {
    return 'no engine';
  }
}

export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}
