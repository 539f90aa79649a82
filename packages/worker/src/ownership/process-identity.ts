import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names one process for ever: `<boot id>:<pid namespace>:<pid>:<start time in clock ticks since boot>`.
 * A process id alone is reused, and a container's process ids mean nothing outside it.
 */
export type ProcessIdentity = string;

export const ownProcess: ProcessIdentity = identityOf(process.pid) ?? `unknown:unknown:${process.pid}:0`;

/** Whether this process can tell if that one runs: it is of another boot, or of the same pid namespace. */
export function isVisible(identity: ProcessIdentity): boolean {
  const [boot, namespace] = identity.split(':');
  const [ownBoot, ownNamespace] = ownProcess.split(':');
  return boot !== ownBoot || namespace === ownNamespace;
}

/**
 * Whether that process still runs. One of another boot does not; of one in another pid namespace nothing
 * is known, and it counts as gone: two workers of one name never run side by side.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  const pid = Number(identity.split(':')[2]);
  return Number.isInteger(pid) && identityOf(pid) === identity;
}

function identityOf(pid: number): ProcessIdentity | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name, in parentheses, may hold spaces and parentheses itself; the start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    // One that has ended, but that nobody has waited for.
    const ended = state === 'Z' || state === 'X';
    return ended ? undefined : `${boot}:${namespace}:${pid}:${startTime}`;
  } catch {
    return undefined;
  }
}
