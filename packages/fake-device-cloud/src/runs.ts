import { CloudError } from './cloud-error.ts';
import type { Device, Devices } from './devices.ts';

export interface Parameter {
  id: number;
  key: string;
  value: string;
}

export interface DeviceRun {
  id: number;
  device: Device;
  runStatus: 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
}

export interface ProjectRun {
  id: number;
  projectId: number;
  state: 'WAITING' | 'RUNNING' | 'FINISHED';
  createTime: number;
  parameters: Parameter[];
  deviceRuns: DeviceRun[];
}

export interface Project {
  id: number;
  displayName: string;
  /** What a new run begins with: those of the run before it. */
  parameters: { key: string; value: string }[];
}

export interface FlashBehaviour {
  /** Milliseconds that a started run waits for its turn; it stays so for ever when this is absent. */
  waitMs?: number;
  /** Milliseconds that the flashing takes. */
  flashMs: number;
  /** Milliseconds that the device is offline afterwards. */
  rebootMs: number;
  outcome: 'SUCCEEDED' | 'FAILED';
}

/** Runs of projects. A successful one leaves its devices with the build that its parameters name. */
export class Runs {
  readonly projects: Project[];
  readonly all: ProjectRun[] = [];
  behaviour: FlashBehaviour;
  readonly #devices: Devices;
  readonly #changed: () => void;
  readonly #closing = new AbortController();
  #nextId = 5001;

  constructor(devices: Devices, projects: readonly string[], behaviour: FlashBehaviour, changed: () => void) {
    this.#devices = devices;
    this.behaviour = behaviour;
    this.#changed = changed;
    const old = [{ key: 'FLAME_ZIP_URL', value: 'https://example.com/an-older-build.zip' }];
    this.projects = projects.map((displayName, index) => ({ id: index + 301, displayName, parameters: old }));
  }

  create(projectId: number): ProjectRun {
    const project = this.projects.find(({ id }) => id === projectId);
    if (!project) throw new CloudError(404, `Project with id ${projectId} not found`);
    const parameters = project.parameters.map((parameter) => ({ id: this.#nextId++, ...parameter }));
    const run: ProjectRun = {
      ...{ id: this.#nextId++, projectId, state: 'WAITING', createTime: Date.now() },
      ...{ parameters, deviceRuns: [] },
    };
    this.all.push(run);
    this.#changed();
    return run;
  }

  get(id: number, projectId?: number): ProjectRun {
    const run = this.all.find((candidate) => candidate.id === id);
    if (!run || (projectId !== undefined && run.projectId !== projectId))
      throw new CloudError(404, `Test run with id ${id} not found`);
    return run;
  }

  addParameter(run: ProjectRun, key: string, value: string): Parameter {
    if (run.parameters.some((parameter) => parameter.key === key))
      throw new CloudError(400, `Parameter with key ${key} already exists`);
    const parameter = { id: this.#nextId++, key, value };
    run.parameters.push(parameter);
    return parameter;
  }

  removeParameter(run: ProjectRun, id: number): void {
    const index = run.parameters.findIndex((parameter) => parameter.id === id);
    if (index === -1) throw new CloudError(404, `Parameter with id ${id} not found`);
    run.parameters.splice(index, 1);
  }

  start(run: ProjectRun, deviceIds: readonly number[]): void {
    if (run.deviceRuns.length > 0) throw new CloudError(400, 'Test run has been started already');
    if (deviceIds.length === 0) throw new CloudError(400, 'No devices to run on');
    const devices = deviceIds.map((id) => this.#devices.get(id));
    if (devices.some(({ online, locked }) => !online || locked))
      throw new CloudError(400, 'Requested device does not exist or is busy at the moment.');
    for (const device of devices) device.locked = true;
    run.deviceRuns = devices.map((device) => ({ id: this.#nextId++, device, runStatus: 'WAITING' }));
    this.#changed();
    void this.#carryOut(run, this.behaviour);
  }

  abort(run: ProjectRun): void {
    if (run.state === 'FINISHED') return;
    run.state = 'FINISHED';
    for (const deviceRun of run.deviceRuns) {
      deviceRun.runStatus = 'ABORTED';
      deviceRun.device.locked = false;
    }
    this.#changed();
  }

  close(): void {
    this.#closing.abort();
  }

  async #carryOut(run: ProjectRun, { waitMs, flashMs, rebootMs, outcome }: FlashBehaviour): Promise<void> {
    if (waitMs === undefined || !(await this.#pause(waitMs)) || run.state !== 'WAITING') return;
    this.#move(run, 'RUNNING', 'RUNNING');
    if (!(await this.#pause(flashMs)) || (run.state as string) === 'FINISHED') return;
    const succeeded = outcome === 'SUCCEEDED';
    const label = run.parameters.find(({ key }) => key === 'BUILD_LABEL')?.value;
    const memory = run.parameters.find(({ key }) => key === 'MEM_TOTAL')?.value;
    for (const { device } of run.deviceRuns) {
      device.online = !succeeded;
      device.locked = succeeded;
      if (succeeded && label) this.#devices.putLabel(device, 'Build Identifier', label);
      if (succeeded && memory) this.#devices.putLabel(device, 'memory', memory);
    }
    const project = this.projects.find(({ id }) => id === run.projectId) as Project;
    project.parameters = run.parameters.map(({ key, value }) => ({ key, value }));
    this.#move(run, 'FINISHED', outcome);
    if (!succeeded || !(await this.#pause(rebootMs))) return;
    for (const { device } of run.deviceRuns) Object.assign(device, { online: true, locked: false });
    this.#changed();
  }

  #move(run: ProjectRun, state: ProjectRun['state'], runStatus: DeviceRun['runStatus']): void {
    run.state = state;
    for (const deviceRun of run.deviceRuns) deviceRun.runStatus = runStatus;
    this.#changed();
  }

  /** False when the cloud was closed meanwhile. */
  #pause(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(!signal.aborted), ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
}
