import type { EngineCapabilities } from '../capabilities.ts';

/** Of a rootful Docker Engine on this host, unless it is said otherwise. */
export function capabilitiesForTest(changed: Partial<EngineCapabilities> = {}): EngineCapabilities {
  return {
    name: 'Docker Engine 20.10.24',
    address: 'unix:/var/run/docker.sock',
    hasSocket: true,
    api: '1.41',
    kernel: '6.1.0',
    rootless: false,
    appArmor: true,
    dataFolder: '/var/lib/docker',
    limits: { memory: true, cpu: true, cpuset: true, pids: true },
    sharesKernel: true,
    sharesFiles: true,
    ...changed,
  };
}
