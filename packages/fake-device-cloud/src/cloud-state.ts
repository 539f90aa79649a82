import { EventEmitter, once } from 'node:events';
import { Accounts } from './accounts.ts';
import { type DeviceDescription, usualDevices } from './device-description.ts';
import { Devices } from './devices.ts';
import { Faults } from './faults.ts';
import { Runs } from './runs.ts';
import { Sessions } from './sessions.ts';

export interface CloudSettings {
  apiKey?: string;
  username?: string;
  password?: string;
  /** Seconds for which an access token is good; default 3600. */
  tokenLife?: number;
  devices?: DeviceDescription[];
  /** Names of the projects; default: the one that flashes phones. */
  projects?: string[];
  /** Milliseconds from the start of a flashing to its end; default 100. */
  flashMs?: number;
  /** Milliseconds that a flashed phone is offline; default 50. */
  rebootMs?: number;
  /** Milliseconds until the proxies of a session are there; default 0. */
  proxyDelayMs?: number;
  /** Whether there is a proxy plugin, as there was; without it `connections` is all there is. Default true. */
  proxyPlugin?: boolean;
  /** What sessions can be reached by; default adb and marionette. */
  proxyTypes?: string[];
}

/** A request as it came in. */
export interface SeenRequest {
  method: string;
  url: string;
  /** `Basic`, `Bearer` or nothing. */
  scheme: string | undefined;
  body: unknown;
}

/** Everything that the cloud knows. */
export class CloudState {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly sessions: Sessions;
  readonly runs: Runs;
  readonly faults = new Faults();
  readonly requests: SeenRequest[] = [];
  proxyDelayMs: number;
  proxyPlugin: boolean;
  proxyTypes: string[];
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(settings: CloudSettings = {}) {
    const { apiKey = 'fake-api-key', username = 'joe@example.com', password = 'fake-password' } = settings;
    const changed = () => this.changed();
    this.accounts = new Accounts({ apiKey, username, password }, settings.tokenLife ?? 3_600);
    this.devices = new Devices(settings.devices ?? usualDevices);
    this.sessions = new Sessions(this.devices, changed);
    this.runs = new Runs(
      this.devices,
      settings.projects ?? ['flash-fxos-new-url'],
      {
        waitMs: 0,
        flashMs: settings.flashMs ?? 100,
        rebootMs: settings.rebootMs ?? 50,
        outcome: 'SUCCEEDED',
      },
      changed,
    );
    this.proxyDelayMs = settings.proxyDelayMs ?? 0;
    this.proxyPlugin = settings.proxyPlugin ?? true;
    this.proxyTypes = settings.proxyTypes ?? ['adb', 'marionette'];
  }

  changed(): void {
    this.#changes.emit('change');
  }

  /** Settles when the condition holds; it is looked at after every request and every change. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#changes, 'change');
  }
}
