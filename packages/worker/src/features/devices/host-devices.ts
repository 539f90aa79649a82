import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { settingsOf, type WorkerConfig } from '../../config/config.ts';
import { settings } from './settings.ts';

/** What payloads can ask for by name. */
export const deviceNames = ['loopbackVideo', 'loopbackAudio', 'hostSharedMemory', 'kvm'] as const;
export type DeviceName = (typeof deviceNames)[number];

/** `cpu` is given by configuration, not on request. */
export type Countable = 'loopbackVideo' | 'loopbackAudio' | 'cpu';
export const countable = ['loopbackVideo', 'loopbackAudio', 'cpu'] as const satisfies Countable[];

/** What one task gets: names below the directory of device nodes, or the number of a core. */
export type Unit = string[];

/** The units of a kind of which each can serve one task at a time; none when they are switched off. */
export function unitsOf(kind: Countable, config: WorkerConfig): Unit[] {
  if (!isEnabled(kind, config)) {
    return [];
  }
  const { directory } = settingsOf(config, settings).deviceManagement;
  switch (kind) {
    case 'loopbackVideo':
      return numbered(directory, /^video(\d+)$/).map((index) => [`video${index}`]);
    case 'loopbackAudio':
      return numbered(join(directory, 'snd'), /^controlC(\d+)$/).map((card) =>
        [`controlC${card}`, ...['0c', '0p', '1c', '1p'].map((end) => `pcmC${card}D${end}`)]
          .map((name) => `snd/${name}`)
          .filter((name) => existsSync(join(directory, name))),
      );
    case 'cpu':
      return Array.from({ length: availableParallelism() }, (_, core) => [String(core)]);
  }
}

export function isEnabled(kind: DeviceName | 'cpu', config: WorkerConfig): boolean {
  const { deviceManagement, restrictCPU } = settingsOf(config, settings);
  return deviceManagement[kind].enabled || (kind === 'cpu' && restrictCPU);
}

/** Why this worker cannot lend a device to any task, with what an operator can do; `undefined` when it can. */
export function whyUnavailable(device: DeviceName, config: WorkerConfig): string | undefined {
  const { directory } = settingsOf(config, settings).deviceManagement;
  if (!isEnabled(device, config)) {
    return `${device} is not enabled on this worker`;
  }
  const missing = (what: string) => `${device} is not available on this worker: ${what}`;
  switch (device) {
    case 'loopbackVideo':
      return unitsOf(device, config).length === 0
        ? missing(`its host has no ${directory}/video* (kernel module v4l2loopback)`)
        : undefined;
    case 'loopbackAudio':
      return unitsOf(device, config).length === 0
        ? missing(`its host has no ${directory}/snd/controlC* (kernel module snd-aloop)`)
        : undefined;
    case 'kvm':
      return existsSync(join(directory, 'kvm'))
        ? undefined
        : missing(
            `its host has no ${directory}/kvm (kernel module kvm, and virtualisation in the processor)`,
          );
    case 'hostSharedMemory':
      return existsSync(join(directory, 'shm')) ? undefined : missing(`its host has no ${directory}/shm`);
  }
}

/** The numbers in the names of a folder that match, in their order. */
function numbered(directory: string, pattern: RegExp): number[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
