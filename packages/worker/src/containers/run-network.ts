import { randomInt } from 'node:crypto';
import type Docker from 'dockerode';
import { engineMessage, engineStatus } from '../engine/engine.ts';
import { type Owner, ownershipLabels } from '../ownership/labels.ts';
import { whenFilesAllow } from './when-files-allow.ts';

/** Host addresses of a subnet: 2^(32 − 28), enough for a task, its sidecars and the gateway. */
const subnetPrefix = 28;

export interface RunNetwork extends AsyncDisposable {
  id: string;
  /** The host's address on it: the first one of the subnet. */
  gateway: string;
}

/**
 * Makes the bridge network of one task run. Its subnet is explicit and small, because the engine's own
 * pools end after about thirty networks; one that is taken already makes it try the next.
 */
export async function createRunNetwork(docker: Docker, owner: Owner, range: string): Promise<RunNetwork> {
  const subnets = subnetsOf(range);
  const first = randomInt(subnets.count);
  for (let attempt = 0; attempt < Math.min(subnets.count, 64); attempt++) {
    const subnet = subnets.at((first + attempt) % subnets.count);
    const gateway = firstAddress(subnet);
    try {
      const network = await docker.createNetwork({
        Name: `docker-worker-${owner.taskRun.replace('/', '-')}-${subnet.replace(/[./]/g, '-')}`,
        Driver: 'bridge',
        CheckDuplicate: true,
        IPAM: { Driver: 'default', Config: [{ Subnet: subnet, Gateway: gateway }] },
        Labels: ownershipLabels(owner, 'network'),
      });
      return { id: network.id, gateway, [Symbol.asyncDispose]: () => removeNetwork(docker, network.id) };
    } catch (error) {
      if (!/overlap|subnet .* is already used/i.test(engineMessage(error))) {
        throw error;
      }
    }
  }
  throw new Error(
    `no free /${subnetPrefix} subnet was found in ${range}: configure another range in "network.subnets"`,
  );
}

function firstAddress(subnet: string): string {
  return subnet.replace(/(\d+)\/\d+$/, (_, last) => String(Number(last) + 1));
}

/** The /28 subnets of an IPv4 range in CIDR form. */
export function subnetsOf(range: string): { count: number; at(index: number): string } {
  const [address = '', prefix = ''] = range.split('/');
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const count = Number(prefix) > subnetPrefix ? 0 : 2 ** (subnetPrefix - Number(prefix));
  const size = 2 ** (32 - subnetPrefix);
  const start = base - (base % (count * size));
  return {
    count,
    at(index) {
      const value = start + index * size;
      return `${[24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')}/${subnetPrefix}`;
    },
  };
}

/** Removes a network with whatever is still attached to it; one that is gone already is fine. */
export async function removeNetwork(docker: Docker, id: string): Promise<void> {
  const network = docker.getNetwork(id);
  try {
    await whenFilesAllow(() => network.remove());
  } catch (error) {
    if (engineStatus(error) === 404) {
      return;
    }
    const { Containers: attached = {} } = (await network.inspect()) as {
      Containers?: Record<string, unknown>;
    };
    await Promise.all(
      Object.keys(attached).map((container) =>
        network.disconnect({ Container: container, Force: true }).catch(() => {}),
      ),
    );
    await network.remove();
  }
}
