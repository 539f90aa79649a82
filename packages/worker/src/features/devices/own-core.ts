import { settingsOf } from '../../config/config.ts';
import { RunFailure } from '../../run/resolution.ts';
import type { Feature } from '../feature.ts';
import { devicePool } from './device-pool.ts';
import { isEnabled, unitsOf } from './host-devices.ts';
import { settings } from './settings.ts';

/** `restrictCPU` of the configuration: every task runs on a core of its own, whatever its payload says. */
export const ownCore: Feature = {
  name: 'restrictCPU',
  slots: (config) => (settingsOf(config, settings).restrictCPU ? unitsOf('cpu', config).length : undefined),
  askedBy: (_payload, config) => isEnabled('cpu', config),
  defaultOn: false,
  async prepare({ host, leases }) {
    const lease = host.parts.of(devicePool).take('cpu');
    if (lease === undefined) {
      throw new RunFailure(
        { kind: 'exception', reason: 'resource-unavailable' },
        'No core is free on this worker; the task will be tried again.',
      );
    }
    leases.use(lease);
    return { hostConfig: { CpusetCpus: lease.unit.join(',') } };
  },
};
