import { setTimeout as delay } from 'node:timers/promises';
import { CloudError } from './cloud/cloud-error.ts';
import type { DeviceProxy, DeviceSession, DeviceSessions } from './cloud/device-sessions.ts';
import {
  buildLabel,
  type Capabilities,
  type Device,
  type Devices,
  exactLabels,
  hardwareLabels,
} from './cloud/devices.ts';
import type { Flashing } from './cloud/flashing.ts';

const attempts = 2;
/** In the order in which they are asked for. */
export const proxyTypes = ['adb', 'marionette'] as const;

/** A phone that is this proxy's until its session ends. */
export interface Borrowed {
  session: DeviceSession;
  device: Device;
  proxies: Record<(typeof proxyTypes)[number], DeviceProxy>;
}

export interface AcquireOptions {
  devices: Devices;
  sessions: DeviceSessions;
  /** Absent: phones are taken as they are. */
  flashing: { run: Flashing; parameters: Record<'url' | 'memory' | 'label', string> } | undefined;
  /** Seconds after which the cloud ends the session. */
  deviceTimeout: number;
  sessionTries: number;
  sessionPauseSeconds: number;
  proxyTries: number;
  proxyPauseSeconds: number;
  attemptPauseSeconds: number;
  /** The URL of a build as the cloud is to fetch it. */
  sign(build: string): string;
  /** Told what is being done. */
  onStep(step: string): void;
  /** Told of every session as soon as there is one, and of its end. */
  onOpened(session: DeviceSession): void;
  release(session: DeviceSession): Promise<void>;
}

/** A session must be known even when nobody waits for it any more: it would lock its phone. */
const openMs = 60_000;

/**
 * Borrows a phone with these capabilities. One that has the build already is preferred; else one is flashed.
 * When it fails or is aborted no session is left.
 *
 * @throws CloudError with what could not be done
 */
export async function acquire(
  capabilities: Capabilities,
  options: AcquireOptions,
  signal: AbortSignal,
): Promise<Borrowed> {
  const session = await anySession(capabilities, options, signal);
  try {
    options.onStep('waiting for the proxies');
    const adb = await proxyOf(session, 'adb', options, signal);
    const marionette = await proxyOf(session, 'marionette', options, signal);
    return { session, device: session.device, proxies: { adb, marionette } };
  } catch (error) {
    await options.release(session);
    throw error;
  }
}

async function anySession(
  capabilities: Capabilities,
  options: AcquireOptions,
  signal: AbortSignal,
): Promise<DeviceSession> {
  let failure: CloudError | undefined;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (attempt > 1) await delay(options.attemptPauseSeconds * 1000, undefined, { signal });
    try {
      const session =
        (await sessionOnReady(capabilities, options, signal)) ??
        (await sessionOnFlashed(capabilities, options, signal));
      if (session !== undefined) return session;
      failure = undefined;
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      failure = error;
    }
  }
  const reason = failure === undefined ? '' : `: ${failure.message}`;
  const what = options.flashing === undefined ? 'find a free device' : 'flash device';
  throw new CloudError(
    failure === undefined && options.flashing !== undefined
      ? `Could not create device session after ${attempts} flashing attempts: no device was free`
      : `Could not ${what} after ${attempts} attempts${reason}`,
  );
}

/** On a phone that has the build. */
async function sessionOnReady(
  capabilities: Capabilities,
  options: AcquireOptions,
  signal: AbortSignal,
): Promise<DeviceSession | undefined> {
  options.onStep('looking for a device with the build');
  for (const device of await options.devices.free(exactLabels(capabilities), signal)) {
    const session = await sessionOn(device, options, signal);
    if (session !== undefined) return session;
  }
  return undefined;
}

async function sessionOnFlashed(
  capabilities: Capabilities,
  options: AcquireOptions,
  signal: AbortSignal,
): Promise<DeviceSession | undefined> {
  if (options.flashing === undefined) return undefined;
  const [device] = await options.devices.free(hardwareLabels(capabilities), signal);
  if (device === undefined) return undefined;
  const { run, parameters } = options.flashing;
  options.onStep(`flashing ${device.displayName}`);
  await run.flash(
    device,
    {
      [parameters.url]: options.sign(capabilities.build),
      [parameters.memory]: capabilities.memory,
      [parameters.label]: buildLabel(capabilities),
    },
    signal,
  );
  return sessionOn(device, options, signal);
}

/** Somebody else may have been faster, or be about to leave. */
async function sessionOn(
  device: Device,
  options: AcquireOptions,
  signal: AbortSignal,
): Promise<DeviceSession | undefined> {
  options.onStep(`opening a session on ${device.displayName}`);
  for (let made = 1; made <= options.sessionTries; made++) {
    signal.throwIfAborted();
    try {
      const session = await options.sessions.open(
        device.id,
        Math.ceil(options.deviceTimeout),
        AbortSignal.timeout(openMs),
      );
      options.onOpened(session);
      if (signal.aborted) {
        await options.release(session);
        signal.throwIfAborted();
      }
      return session;
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
    }
    if (made < options.sessionTries) await delay(options.sessionPauseSeconds * 1000, undefined, { signal });
  }
  return undefined;
}

async function proxyOf(
  { id }: DeviceSession,
  type: (typeof proxyTypes)[number],
  { sessions, proxyTries, proxyPauseSeconds }: AcquireOptions,
  signal: AbortSignal,
): Promise<DeviceProxy> {
  let failure = 'the cloud does not have it';
  for (let made = 1; made <= proxyTries; made++) {
    try {
      const proxy = await sessions.proxy(id, type, signal);
      if (proxy !== undefined) return proxy;
    } catch (error) {
      if (!(error instanceof CloudError && error.mayPass)) throw error;
      failure = error.message;
    }
    if (made < proxyTries) await delay(proxyPauseSeconds * 1000, undefined, { signal });
  }
  throw new CloudError(`Could not get the ${type} proxy of the device: ${failure}`);
}
