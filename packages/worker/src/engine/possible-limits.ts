import type { HostConfig } from 'dockerode';
import type { EngineCapabilities } from './capabilities.ts';

/** What an engine needs for each of them. */
const limits = {
  Memory: 'memory',
  MemorySwap: 'memory',
  NanoCpus: 'cpu',
  CpuPeriod: 'cpu',
  CpuQuota: 'cpu',
  CpusetCpus: 'cpuset',
  PidsLimit: 'pids',
} as const satisfies Partial<Record<keyof HostConfig, keyof EngineCapabilities['limits']>>;

/** The configuration without limits that the engine cannot hold: it would warn of some, and refuse others. */
export function possibleLimits(config: HostConfig, { limits: has }: EngineCapabilities): HostConfig {
  const impossible = Object.entries(limits).flatMap(([key, need]) => (has[need] ? [] : [key]));
  return Object.fromEntries(Object.entries(config).filter(([key]) => !impossible.includes(key)));
}
