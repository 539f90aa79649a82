import { setTimeout } from 'node:timers/promises';
import type { Cloud } from './cloud.ts';
import { metadata, requiredMetadata } from './metadata-service.ts';
import { parseUserData } from './user-data.ts';

const headers = { 'metadata-flavor': 'Google' };
/** Before a service that has failed is asked again. */
const pauseMs = 5_000;

/** A machine of Google's Compute Engine, which worker-manager knows by a token that Google signs. */
export function google(metadataUrl: string): Cloud {
  const url = (path: string) => `${metadataUrl}/computeMetadata/v1/${path}`;
  const required = (path: string) => requiredMetadata(url(path), { headers });
  const optional = (path: string) => metadata(url(path), { headers });
  return {
    disposable: true,
    async identify() {
      const nic = 'instance/network-interfaces/0';
      const [userData, instanceId, machineType, zonePath, host, publicIp, privateIp] = await Promise.all([
        required('instance/attributes/taskcluster'),
        required('instance/id'),
        required('instance/machine-type'),
        required('instance/zone'),
        optional('instance/hostname'),
        optional(`${nic}/access-configs/0/external-ip`),
        optional(`${nic}/ip`),
      ]);
      const { rootUrl, workerPoolId, providerId, workerGroup } = parseUserData(
        userData,
        'attribute "taskcluster"',
      );
      const audience = encodeURIComponent(rootUrl);
      const token = await required(
        `instance/service-accounts/default/identity?audience=${audience}&format=full`,
      );
      const zone = lastSegment(zonePath);
      const region = zone.replace(/-[^-]*$/, '');
      const instanceType = lastSegment(machineType);
      return {
        ...{ rootUrl, workerPoolId, providerId, workerGroup },
        workerId: instanceId,
        workerIdentityProof: { token },
        settings: {
          ...{ host: host || undefined, publicIp: publicIp || undefined, privateIp },
          ...{ instanceType, instanceId, region },
          workerNodeType: instanceType,
          workerLocation: JSON.stringify({ cloud: 'google', region, zone }),
        },
      };
    },
    async terminating(signal) {
      for (let preempted = await isPreempted(''); !preempted; ) {
        preempted = await isPreempted('?wait_for_change=true');
      }

      async function isPreempted(query: string): Promise<boolean> {
        try {
          const text = await metadata(url(`instance/preempted${query}`), { headers, signal, timeout: 0 });
          return text?.trim() === 'TRUE';
        } catch {
          await setTimeout(pauseMs, undefined, { signal });
          return false;
        }
      }
    },
  };
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
