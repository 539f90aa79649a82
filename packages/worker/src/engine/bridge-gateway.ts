import { isIPv4 } from 'node:net';
import type Docker from 'dockerode';
import { z } from 'zod';
import { UserError } from '../user-error.ts';

const BridgeNetwork = z.looseObject({
  IPAM: z.looseObject({
    Config: z.array(z.looseObject({ Subnet: z.string(), Gateway: z.string().optional() })),
  }),
});

/**
 * The address of the host on Docker's own bridge: the host itself and every container on the host can reach
 * it, and no interface to the outside has it.
 */
export async function bridgeGateway(docker: Docker): Promise<string> {
  const inspected = await docker.getNetwork('bridge').inspect();
  const range = BridgeNetwork.parse(inspected).IPAM.Config.find(({ Subnet }) =>
    isIPv4(Subnet.split('/')[0] ?? ''),
  );
  if (range === undefined) {
    throw new UserError(
      'Docker\'s default network "bridge" has no IPv4 subnet: start the engine without --bridge=none.',
    );
  }
  // The engine does not tell a gateway that it chose itself: it is the subnet's first address.
  return range.Gateway ?? range.Subnet.replace(/\d+\/\d+$/, '1');
}
