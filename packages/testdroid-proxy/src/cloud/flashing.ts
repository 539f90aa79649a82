import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { CloudClient } from './cloud-client.ts';
import { CloudError } from './cloud-error.ts';
import type { Device, Devices } from './devices.ts';

const Project = z.looseObject({ id: z.number(), displayName: z.string() });
const ProjectRun = z.looseObject({ id: z.number(), state: z.string() });
const Parameter = z.looseObject({ id: z.number() });
const DeviceRun = z.looseObject({ runStatus: z.string() });

export interface FlashOptions {
  /** Name of the project whose runs flash a device. */
  project: string;
  /** Milliseconds between looks at a run, or at a device that starts. */
  pollMs: number;
  /** Milliseconds that a run may take, and then the start of the device. */
  limitMs: number;
}

/** Puts builds on devices by runs of a project that the account has for it. */
export class Flashing {
  readonly #cloud: CloudClient;
  readonly #devices: Devices;
  readonly #options: FlashOptions;

  constructor(cloud: CloudClient, devices: Devices, options: FlashOptions) {
    this.#cloud = cloud;
    this.#devices = devices;
    this.#options = options;
  }

  /**
   * Flashes a device and waits until it can be used again. A run that is not over when this fails or is
   * aborted is aborted as well.
   *
   * @param parameters of the run; they take the place of all that it begins with
   */
  async flash(device: Device, parameters: Record<string, string>, signal: AbortSignal): Promise<void> {
    const { project: name, limitMs } = this.#options;
    const projects = await this.#cloud.list(
      `me/projects?search=${encodeURIComponent(name)}`,
      Project,
      signal,
    );
    const project = projects.find(({ displayName }) => displayName === name);
    if (project === undefined) throw new CloudError(`the account has no project ${name} to flash with`, 404);
    const run = await this.#cloud.ask('runs', {
      method: 'POST',
      form: { projectId: project.id },
      answer: ProjectRun,
      signal,
    });
    try {
      await this.#setParameters(project.id, run.id, parameters, signal);
      await this.#cloud.ask(`runs/${run.id}/start`, {
        method: 'POST',
        form: { usedDeviceIds: [device.id] },
        answer: z.unknown(),
        signal,
      });
      await this.#until(`the flashing of ${device.displayName}`, limitMs, signal, () =>
        this.#isOver(project.id, run.id, signal),
      );
    } catch (error) {
      await this.#abort(run.id);
      throw error;
    }
    await this.#until(`${device.displayName} after its flashing`, limitMs, signal, async () => {
      const { online, locked } = await this.#devices.get(device.id, signal);
      return online && !locked;
    });
  }

  async #setParameters(
    projectId: number,
    runId: number,
    parameters: Record<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const old = await this.#cloud.list(`runs/${runId}/config/parameters`, Parameter, signal);
    const path = `me/projects/${projectId}/runs/${runId}/config/parameters`;
    await Promise.all(
      old.map(({ id }) =>
        this.#cloud.ask(`${path}/${id}`, { method: 'DELETE', answer: z.unknown(), signal }),
      ),
    );
    await Promise.all(
      Object.entries(parameters).map(([key, value]) =>
        this.#cloud.ask(path, { method: 'POST', form: { key, value }, answer: z.unknown(), signal }),
      ),
    );
  }

  async #isOver(projectId: number, runId: number, signal: AbortSignal): Promise<boolean> {
    const [run, deviceRuns] = await Promise.all([
      this.#cloud.ask(`me/projects/${projectId}/runs/${runId}`, {
        method: 'GET',
        answer: ProjectRun,
        signal,
      }),
      this.#cloud.list(`runs/${runId}/device-runs`, DeviceRun, signal),
    ]);
    const failed = deviceRuns.find(({ runStatus }) => /FAILED|ABORTED|TIMEOUT|EXCLUDED/.test(runStatus));
    if (failed) throw new CloudError(`the flashing ended as ${failed.runStatus}`, 200);
    return run.state === 'FINISHED';
  }

  /** Nothing tells when a run is over or a device has started. */
  async #until(what: string, limitMs: number, signal: AbortSignal, isSo: () => Promise<boolean>) {
    const end = Date.now() + limitMs;
    while (!(await isSo())) {
      if (Date.now() + this.#options.pollMs > end)
        throw new CloudError(`${what} took longer than ${Math.round(limitMs / 1000)} s`);
      await delay(this.#options.pollMs, undefined, { signal });
    }
  }

  async #abort(runId: number): Promise<void> {
    await this.#cloud
      .ask(`runs/${runId}/abort`, {
        method: 'POST',
        answer: z.unknown(),
        signal: AbortSignal.timeout(10_000),
      })
      .catch(() => {});
  }
}
