import { join } from 'node:path';
import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { settingsOf, workerPoolId } from '../../config/config.ts';
import type { EngineCapabilities } from '../../engine/capabilities.ts';
import type { Payload } from '../../payload/payload.ts';
import type { Problem } from '../../problem.ts';
import { RunFailure } from '../../run/resolution.ts';
import type { Run } from '../../run/run.ts';
import type { Contribution, Feature, FeatureRequest } from '../feature.ts';
import { devicePool } from './device-pool.ts';
import { type DeviceName, deviceNames, whyUnavailable } from './host-devices.ts';
import { settings } from './settings.ts';

/** `payload.capabilities.devices`: devices of the host in the container. */
export const devices: Feature = {
  name: 'devices',
  settings,
  host: devicePool,
  askedBy: (payload) => wanted(payload).length > 0,
  defaultOn: false,
  async problems(request) {
    return [...unavailable(request), ...(await missingScopes(request))];
  },
  async prepare(run, payload) {
    const parts = wanted(payload).map((device) => attach(run, device));
    return {
      hostConfig: {
        Devices: parts.flatMap((part) => part?.Devices ?? []),
        Binds: parts.flatMap((part) => part?.Binds ?? []),
      },
    };
  },
};

/** What is asked for with `false` is not asked for. */
function wanted({ capabilities }: Payload): DeviceName[] {
  return deviceNames.filter((device) => capabilities?.devices?.[device] === true);
}

function unavailable({ payload, config, engine }: FeatureRequest): Problem[] {
  return wanted(payload).flatMap((device) => {
    const message = whyUnavailable(device, config) ?? whyNotGiven(device, engine.capabilities);
    return message === undefined ? [] : [{ path: `payload.capabilities.devices.${device}`, message }];
  });
}

function whyNotGiven(
  device: DeviceName,
  { name, rootless, sharesKernel }: EngineCapabilities,
): string | undefined {
  if (!sharesKernel) {
    return `${device} is not available: the ${name} is on another machine than this worker`;
  }
  return rootless && device !== 'hostSharedMemory'
    ? `${device} is not available: the ${name} is rootless, and gives no devices of the host to containers`
    : undefined;
}

async function missingScopes({ task, payload, config, expandedScopes }: FeatureRequest): Promise<Problem[]> {
  const pool = workerPoolId(config);
  const needed = {
    AllOf: wanted(payload).map((device) => ({
      AnyOf: [
        `docker-worker:capability:device:${device}`,
        `docker-worker:capability:device:${device}:${pool}`,
      ],
    })),
  };
  if (satisfiesExpression(task.scopes, needed) || satisfiesExpression(await expandedScopes(), needed)) {
    return [];
  }
  return [
    {
      path: 'scopes',
      message: `Insufficient scopes to attach devices. The task needs ${JSON.stringify(needed)}`,
    },
  ];
}

function attach({ host, leases }: Run, device: DeviceName): Contribution['hostConfig'] {
  const { directory } = settingsOf(host.config, settings).deviceManagement;
  if (device === 'hostSharedMemory') {
    return { Binds: [`${join(directory, 'shm')}:/dev/shm`] };
  }
  if (device === 'kvm') {
    return { Devices: [mapping(directory, 'kvm')] };
  }
  const lease = host.parts.of(devicePool).take(device);
  if (lease === undefined) {
    throw new RunFailure(
      { kind: 'exception', reason: 'resource-unavailable' },
      `No ${device} is free on this worker; the task will be tried again.`,
    );
  }
  leases.use(lease);
  return { Devices: lease.unit.map((name) => mapping(directory, name)) };
}

function mapping(directory: string, name: string) {
  return {
    PathOnHost: join(directory, name),
    PathInContainer: join('/dev', name),
    CgroupPermissions: 'rwm',
  };
}
