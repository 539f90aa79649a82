import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import manifest from '../../packages/exec-ws-server/package.json' with { type: 'json' };
import { median } from '../averages.ts';
import { Figures } from '../figures.ts';
import { bundleWithout, type Patch } from '../patched-bundle.ts';
import { cpuSecondsOf, memoryOf } from '../process-figures.ts';
import { rateOf, roundTripsOf } from './rates.ts';
import { webSocketTalk } from './talk.ts';
import { type BenchTask, startTask } from './task.ts';

/**
 * What each device on the way of a shell's output that is there for speed alone brings: two tasks side by side, one as
 * it is and one without the device in worker and service, are asked in turns. Prints figures without it over those with it,
 * as medians of the rounds' ratios. Images that it makes are removed.
 *
 *   node benchmarks/interactive/without-each.ts [ROUNDS [NAME]]
 */
interface Device {
  name: string;
  worker?: readonly Patch[];
  service?: readonly Patch[];
}

const bulkReader: Patch = {
  file: 'packages/service-kit/src/io/bulk-reader.ts',
  find: 'if (!(socket instanceof Socket)',
  replace: 'if (socket || !(socket instanceof Socket)',
};
const devices: readonly Device[] = [
  { name: 'nothing' },
  { name: 'bulk reader in the worker', worker: [bulkReader] },
  { name: 'bulk reader in the service', service: [bulkReader] },
  { name: 'bulk reader in both', worker: [bulkReader], service: [bulkReader] },
  {
    name: 'moment in which the worker gathers output',
    worker: [
      {
        file: 'packages/worker/src/features/interactive/engine-portal.ts',
        find: 'const isBulk = ',
        replace: 'const isBulk = false && ',
      },
    ],
  },
  {
    name: 'collection of the young generation as output passes',
    service: [
      {
        file: 'packages/service-kit/src/io/streamed-bytes.ts',
        find: 'sinceCollection += bytes;',
        replace: 'return;',
      },
    ],
  },
];
const rounds = Number(process.argv[2] ?? 7);
const [, , , only = ''] = process.argv;
const megabytes = 200;
const echoes = 200;
const { version } = manifest;
const image = 'docker-worker/exec-ws-server';

const folder = mkdtempSync(join(tmpdir(), 'bench-interactive-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
console.log(
  '| without | MB/s | echo of a line | CPU of worker and service | peak RSS of the service, MiB |\n|---|---|---|---|---|',
);
for (const device of devices.filter(({ name }) => name.includes(only))) await measure(device);

async function measure(device: Device): Promise<void> {
  const tag = `without-${devices.indexOf(device)}`;
  buildImage(await bundleWithout({ ...device, patches: device.service }, 'exec-ws-server', newFolder()), tag);
  try {
    const worker = await bundleWithout(
      { ...device, patches: [...(device.worker ?? []), otherVersion(tag)] },
      'worker',
      newFolder(),
    );
    await using whole = await startTask();
    await using other = await startTask(worker);
    const both: [string, BenchTask][] = [
      ['whole', whole],
      ['other', other],
    ];
    const figures = new Figures();
    for (let round = -1; round < rounds; round++) {
      for (const [name, task] of both.reverse()) await ask(name, task, round < 0 ? new Figures() : figures);
    }
    const ratio = (what: string) => figures.ratio('other', what, 'whole').toFixed(2);
    const peak = ({ service }: BenchTask) => memoryOf(service, 'VmHWM').toFixed(0);
    console.log(
      `| ${device.name} | ${ratio('MB/s')} | ${ratio('echo')} | ${ratio('CPU')} | ${peak(other)} in place of ${peak(whole)} |`,
    );
    rmSync(whole.folder, { recursive: true });
    rmSync(other.folder, { recursive: true });
  } finally {
    execFileSync('docker', ['image', 'rm', `${image}:${tag}`], { stdio: 'ignore' });
  }
}

async function ask(name: string, task: BenchTask, figures: Figures): Promise<void> {
  const talk = (command: string[]) => webSocketTalk(task.socket, command);
  const cpu = () => cpuSecondsOf(task.worker) + cpuSecondsOf(task.service);
  const before = cpu();
  figures.add(name, 'MB/s', await rateOf(talk, megabytes));
  figures.add(name, 'CPU', cpu() - before);
  figures.add(name, 'echo', median(await roundTripsOf(talk, echoes)));
}

/** The service's image with another bundle, and no compile cache for it. */
function buildImage(main: string, tag: string): void {
  const context = join(main, '..');
  writeFileSync(join(context, 'Dockerfile'), `FROM ${image}:${version}\nCOPY . /app/\n`);
  execFileSync('docker', ['build', '--quiet', '--tag', `${image}:${tag}`, context], { stdio: 'ignore' });
}

function otherVersion(tag: string): Patch {
  return {
    file: 'packages/exec-ws-server/src/sidecar.ts',
    find: 'version: manifest.version',
    replace: `version: '${tag}'`,
  };
}

function newFolder(): string {
  return mkdtempSync(join(folder, 'bundle-'));
}
