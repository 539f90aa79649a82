import type Docker from 'dockerode';
import { runHelper } from '../containers/helper-container.ts';
import { isOwnAddress } from '../containers/own-address.ts';
import { createRunNetwork } from '../containers/run-network.ts';
import type { MetadataTable, Verdict } from './metadata-table.ts';
import type { Nft } from './nft.ts';

export interface Probe {
  docker: Docker;
  nft: Nft;
  table: MetadataTable;
  verdict: Verdict;
  worker: string;
  /** Range of the networks of tasks. */
  range: string;
  /** One with Node; without it the rule is only looked for, not tried. */
  image: string | undefined;
}

/**
 * Tries it from a container on a network like those of tasks, with the address of the network's gateway, which is
 * this host itself, put under the same rule for a moment: nothing is sent to a metadata service, or anywhere else.
 *
 * @returns why the rule does not hold; `undefined` if it does
 */
export async function probeMetadataRule({
  docker,
  nft,
  table,
  verdict,
  worker,
  range,
  image,
}: Probe): Promise<string | undefined> {
  await using network = await createRunNetwork(docker, { worker, taskRun: 'metadata' }, range);
  const { gateway } = network;
  if (nft.local && !(await isOwnAddress(gateway))) {
    return 'the networks of the engine are not on this host, or in another network namespace of it';
  }
  if (image === undefined) {
    return undefined;
  }
  await nft(table.include(gateway));
  try {
    const { stdout } = await runHelper(
      docker,
      { worker, image, role: 'firewall' },
      {
        Entrypoint: ['node', '-e', connect, gateway],
        Cmd: [],
        HostConfig: { NetworkMode: network.id, CapDrop: ['ALL'], ReadonlyRootfs: true },
      },
    );
    const answer = stdout.trim();
    return answer === expected[verdict] ? undefined : `a container was not stopped by it (${answer})`;
  } finally {
    await nft(table.exclude(gateway));
  }
}

/** Nothing listens on the port: without the rule the answer is ECONNREFUSED. */
const connect = `
const socket = require('net').connect(1, process.argv[1]);
const tell = (answer) => { console.log(answer); process.exit(); };
socket.on('connect', () => tell('connected')).on('error', ({ code }) => tell(code));
setTimeout(() => tell('silence'), 2000);`;

const expected: Record<Verdict, string> = { reject: 'EHOSTUNREACH', drop: 'silence' };
