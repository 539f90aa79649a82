import { z } from 'zod';
import type { CloudClient } from './cloud-client.ts';
import { CloudError } from './cloud-error.ts';
import { Device } from './devices.ts';

export const DeviceSession = z.looseObject({ id: z.number(), device: Device });
export type DeviceSession = z.infer<typeof DeviceSession>;

/** How a program on the device is reached. */
export const DeviceProxy = z.looseObject({
  type: z.string(),
  host: z.string(),
  port: z.number(),
});
export type DeviceProxy = z.infer<typeof DeviceProxy>;

const Connection = z.looseObject({ type: z.string(), url: z.string() });

/** Sessions give a device to one holder, until they are released or the cloud ends them. */
export class DeviceSessions {
  readonly #cloud: CloudClient;

  constructor(cloud: CloudClient) {
    this.#cloud = cloud;
  }

  /** @param timeout seconds after which the cloud ends the session by itself */
  open(deviceId: number, timeout: number, signal: AbortSignal): Promise<DeviceSession> {
    return this.#cloud.ask('me/device-sessions', {
      method: 'POST',
      form: { deviceModelId: deviceId, timeout },
      answer: DeviceSession,
      signal,
    });
  }

  /** Ends a session; one that has ended, or that the cloud has forgotten, is fine. */
  async release(sessionId: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#cloud.ask(`me/device-sessions/${sessionId}/release`, {
        method: 'POST',
        answer: z.unknown(),
        signal,
      });
    } catch (error) {
      if (!(error instanceof CloudError && error.status === 404)) throw error;
    }
  }

  /** The proxy of a kind, `adb` or `marionette`, or nothing while it is not there yet. */
  async proxy(sessionId: number, type: string, signal: AbortSignal): Promise<DeviceProxy | undefined> {
    try {
      return await this.#pluginProxy(sessionId, type, signal);
    } catch (error) {
      // A cloud of today has no plugin, but tells every session's connections.
      if (!(error instanceof CloudError && error.status === 404)) throw error;
      return await this.#connection(sessionId, type, signal);
    }
  }

  async #pluginProxy(sessionId: number, type: string, signal: AbortSignal) {
    const where = encodeURIComponent(JSON.stringify({ type, sessionId }));
    const answer = z.array(DeviceProxy);
    const path = `proxy-plugin/proxies?where=${where}`;
    const [first] = await this.#cloud.ask(path, { method: 'GET', answer, signal });
    return first;
  }

  async #connection(sessionId: number, type: string, signal: AbortSignal) {
    const path = `me/device-sessions/${sessionId}/connections`;
    const connections = await this.#cloud.list(path, Connection, signal);
    const found = connections.find((connection) => connection.type.toLowerCase() === type);
    if (found === undefined) return undefined;
    const url = URL.parse(found.url);
    if (url === null || url.port === '')
      throw new CloudError(`the cloud's ${type} connection has no host and port`);
    return { type, host: url.hostname, port: Number(url.port) };
  }
}
