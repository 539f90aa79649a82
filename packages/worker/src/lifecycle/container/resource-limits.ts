import type { HostConfig } from 'dockerode';
import type { WorkerConfig } from '../../config/config.ts';

const nanosecondsPerSecond = 1e9;

/** What a task may use of the host, by configuration; what is not configured is not limited. */
export function resourceLimits({ limits: { memory, cpus, pids, openFiles, shm } }: WorkerConfig): HostConfig {
  return {
    ShmSize: shm,
    PidsLimit: pids,
    // The same figure for both leaves nothing to be swapped out.
    ...(memory === undefined ? {} : { Memory: memory, MemorySwap: memory }),
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * nanosecondsPerSecond) }),
    ...(openFiles === undefined ? {} : { Ulimits: [{ Name: 'nofile', Soft: openFiles, Hard: openFiles }] }),
  };
}
