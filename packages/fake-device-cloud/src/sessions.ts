import { CloudError } from './cloud-error.ts';
import type { Device, Devices } from './devices.ts';

export interface Session {
  id: number;
  device: Device;
  state: 'RUNNING' | 'SUCCEEDED' | 'TIMEOUT';
  createTime: number;
  endTime: number | null;
  /** Seconds after which the cloud ends it by itself. */
  timeLimit: number;
}

/** Sessions lock their device until they are released or their time is over. */
export class Sessions {
  readonly all: Session[] = [];
  readonly #devices: Devices;
  readonly #changed: () => void;
  readonly #timers = new Map<Session, NodeJS.Timeout>();

  constructor(devices: Devices, changed: () => void) {
    this.#devices = devices;
    this.#changed = changed;
  }

  /** Those that hold a device. */
  get open(): Session[] {
    return this.all.filter(({ state }) => state === 'RUNNING');
  }

  create(deviceId: number, timeLimit: number): Session {
    const device = this.#devices.get(deviceId);
    if (!device.online || device.locked)
      throw new CloudError(400, 'Requested device does not exist or is busy at the moment.');
    device.locked = true;
    const session: Session = {
      ...{ id: this.all.length + 1001, device, state: 'RUNNING', timeLimit },
      ...{ createTime: Date.now(), endTime: null },
    };
    this.all.push(session);
    const timer = setTimeout(() => this.#end(session, 'TIMEOUT'), Math.min(timeLimit * 1000, 2 ** 31 - 1));
    this.#timers.set(session, timer.unref());
    this.#changed();
    return session;
  }

  get(id: number): Session {
    const session = this.all.find((candidate) => candidate.id === id);
    if (!session) throw new CloudError(404, `Device session with id ${id} not found`);
    return session;
  }

  /** A session that has ended stays as it is. */
  release(id: number): Session {
    const session = this.get(id);
    if (session.state === 'RUNNING') this.#end(session, 'SUCCEEDED');
    return session;
  }

  /** As the API shows a session. */
  view({ device, ...session }: Session) {
    return { ...session, type: 'REMOTE', device: this.#devices.view(device) };
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #end(session: Session, state: 'SUCCEEDED' | 'TIMEOUT'): void {
    clearTimeout(this.#timers.get(session));
    session.state = state;
    session.endTime = Date.now();
    session.device.locked = false;
    this.#changed();
  }
}
