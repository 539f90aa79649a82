import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { Cloud } from './cloud.ts';
import { metadata, requiredMetadata } from './metadata-service.ts';
import { parseUserData } from './user-data.ts';

const headers = { metadata: 'true' };
/** Events are announced minutes ahead (30 seconds for evictions), and nothing tells of them. */
const eventPollMs = 5_000;
/** The first question about events makes the service look for them, which takes it up to two minutes. */
const eventTimeoutMs = 150_000;

const Instance = z.looseObject({
  compute: z.looseObject({
    location: z.string(),
    name: z.string(),
    vmId: z.string(),
    vmSize: z.string(),
    tagsList: z.array(z.looseObject({ name: z.string(), value: z.string() })).default([]),
  }),
  network: z
    .looseObject({
      interface: z
        .array(
          z.looseObject({
            ipv4: z.looseObject({
              ipAddress: z.array(
                z.looseObject({ privateIpAddress: z.string(), publicIpAddress: z.string().optional() }),
              ),
            }),
          }),
        )
        .default([]),
    })
    .default({ interface: [] }),
});

const Attested = z.looseObject({ encoding: z.literal('pkcs7'), signature: z.string() });

const ScheduledEvents = z.looseObject({ Events: z.array(z.looseObject({ EventType: z.string() })) });

/** A machine of Microsoft's Azure, which worker-manager knows by its attested document. */
export function azure(metadataUrl: string): Cloud {
  return {
    disposable: true,
    async identify() {
      const [instanceText, attestedText] = await Promise.all([
        requiredMetadata(`${metadataUrl}/metadata/instance?api-version=2021-02-01`, { headers }),
        requiredMetadata(`${metadataUrl}/metadata/attested/document?api-version=2021-02-01`, { headers }),
      ]);
      const { compute, network } = Instance.parse(JSON.parse(instanceText));
      const { signature } = Attested.parse(JSON.parse(attestedText));
      // worker-manager writes what its workers must know into tags of the machine.
      const tags = Object.fromEntries(compute.tagsList.map(({ name, value }) => [name, value]));
      const { rootUrl, workerPoolId, providerId, workerGroup } = parseUserData(
        JSON.stringify({
          rootUrl: tags['root-url'],
          workerPoolId: tags['worker-pool-id'],
          providerId: tags['provider-id'],
          workerGroup: tags['worker-group'],
        }),
        'list of tags',
      );
      const address = network.interface[0]?.ipv4.ipAddress[0];
      return {
        ...{ rootUrl, workerPoolId, providerId, workerGroup },
        workerId: compute.name,
        workerIdentityProof: { document: signature },
        settings: {
          publicIp: address?.publicIpAddress || undefined,
          privateIp: address?.privateIpAddress,
          workerNodeType: compute.vmSize,
          instanceType: compute.vmSize,
          instanceId: compute.vmId,
          region: compute.location,
          workerLocation: JSON.stringify({ cloud: 'azure', region: compute.location }),
        },
      };
    },
    async terminating(signal) {
      for (;;) {
        await setTimeout(eventPollMs, undefined, { signal });
        const text = await metadata(`${metadataUrl}/metadata/scheduledevents?api-version=2020-07-01`, {
          ...{ headers, signal },
          timeout: eventTimeoutMs,
        }).catch(() => undefined);
        // A machine that is frozen for some seconds goes on afterwards.
        if (text !== undefined && endsMachine(text)) {
          return;
        }
      }
    },
  };
}

function endsMachine(text: string): boolean {
  try {
    return ScheduledEvents.parse(JSON.parse(text)).Events.some(({ EventType }) => EventType !== 'Freeze');
  } catch {
    return false;
  }
}
