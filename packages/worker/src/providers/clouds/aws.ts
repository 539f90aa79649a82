import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { Cloud } from './cloud.ts';
import { type MetadataRequest, metadata, requiredMetadata } from './metadata-service.ts';
import { parseUserData } from './user-data.ts';

/** How often the notice is looked for; it comes two minutes ahead, and nothing tells of it. */
const noticePollMs = 5_000;
const tokenSeconds = 6 * 60 * 60;
const tokenLifeMs = (tokenSeconds * 1000) / 2;

const IdentityDocument = z.looseObject({ instanceId: z.string(), region: z.string() });

/** A machine of Amazon's EC2, which worker-manager knows by its signed identity document. */
export function aws(metadataUrl: string): Cloud {
  let token: { value: string; asked: number } | undefined;

  /** The second version of the service wants a token; where only the first runs there is none to have. */
  async function authorized(signal?: AbortSignal): Promise<MetadataRequest> {
    if (token === undefined || Date.now() - token.asked > tokenLifeMs) {
      const value = await metadata(`${metadataUrl}/latest/api/token`, {
        method: 'PUT',
        headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(tokenSeconds) },
        signal,
      });
      token = { value: value ?? '', asked: Date.now() };
    }
    return token.value === '' ? { signal } : { signal, headers: { 'x-aws-ec2-metadata-token': token.value } };
  }

  return {
    disposable: true,
    async identify() {
      const options = await authorized();
      const optional = (path: string) => metadata(`${metadataUrl}/latest/meta-data/${path}`, options);
      const required = (path: string) => requiredMetadata(`${metadataUrl}/latest/${path}`, options);
      const [userData, document, signature, instanceType, zone, host, publicIp, privateIp] =
        await Promise.all([
          required('user-data'),
          required('dynamic/instance-identity/document'),
          required('dynamic/instance-identity/signature'),
          required('meta-data/instance-type'),
          optional('placement/availability-zone'),
          optional('public-hostname'),
          optional('public-ipv4'),
          optional('local-ipv4'),
        ]);
      const { instanceId, region } = IdentityDocument.parse(JSON.parse(document));
      const { rootUrl, workerPoolId, providerId, workerGroup } = parseUserData(userData, 'user data');
      return {
        ...{ rootUrl, workerPoolId, providerId, workerGroup },
        workerId: instanceId,
        workerIdentityProof: { document, signature },
        settings: {
          ...{ host: host || undefined, publicIp, privateIp, instanceType, instanceId, region },
          workerNodeType: instanceType,
          workerLocation: JSON.stringify({ cloud: 'aws', region, availabilityZone: zone }),
        },
      };
    },
    async terminating(signal) {
      for (;;) {
        await setTimeout(noticePollMs, undefined, { signal });
        const notice = await metadata(
          `${metadataUrl}/latest/meta-data/spot/termination-time`,
          await authorized(signal),
        ).catch(() => undefined);
        if (notice) {
          return;
        }
      }
    },
  };
}
