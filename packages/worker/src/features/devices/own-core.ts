import { RunFailure } from '../../run/resolution.ts';
import type { Feature } from '../feature.ts';
import { isEnabled } from './host-devices.ts';

/** `restrictCPU` of the configuration: every task runs on a core of its own, whatever its payload says. */
export const ownCore: Feature = {
  name: 'restrictCPU',
  askedBy: (_payload, config) => isEnabled('cpu', config),
  defaultOn: false,
  async prepare({ host, resources }) {
    const lease = host.devices.take('cpu');
    if (lease === undefined) {
      throw new RunFailure(
        { kind: 'exception', reason: 'resource-unavailable' },
        'No core is free on this worker; the task will be tried again.',
      );
    }
    resources.use(lease);
    return { hostConfig: { CpusetCpus: lease.unit.join(',') } };
  },
};
