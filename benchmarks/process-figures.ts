import { readFileSync } from 'node:fs';

/** Ticks of the clock in which Linux counts CPU time. */
const ticksPerSecond = 100;

/** Seconds of CPU time that a process has taken so far. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** MiB of a process in memory: `VmRSS` now, `VmHWM` the most there ever was. */
export function memoryOf(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}
