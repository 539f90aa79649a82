import type { Credentials } from '@docker-worker/service-kit/control';
import { unlessAborted } from '../async/unless-aborted.ts';
import type { ContainerDeath } from '../engine/container-deaths.ts';
import type { SidecarRequest } from '../features/feature.ts';
import type { Run } from '../run/run.ts';
import type { RunUnit } from '../sidecars/run-unit.ts';
import type { SidecarControl } from '../sidecars/sidecar-control.ts';

export interface SupervisedSidecarOptions {
  run: Run;
  unit: RunUnit;
  request: SidecarRequest;
  /** Id of the task's container, once there is one. */
  taskContainer(): Promise<string>;
}

/**
 * A service of a run that is started again, once, when it dies while the task may need it. The second time, or when it cannot be
 * started again, the run is aborted so that the platform repeats it.
 */
export class SupervisedSidecar {
  readonly request: SidecarRequest;
  readonly #options: SupervisedSidecarOptions;
  readonly #over = new AbortController();
  #control: SidecarControl;
  #credentials: Credentials;

  /** Settles when the service is ready; throws SidecarFailure. */
  static async start(options: SupervisedSidecarOptions): Promise<SupervisedSidecar> {
    const { run } = options;
    const { credentials } = run;
    const sidecar = new SupervisedSidecar(options, await configure(options), credentials);
    run.resources.defer(() => sidecar.release());
    if (options.request.endsWithTask) {
      run.leases.defer(() => sidecar.end());
    }
    void sidecar.#supervise();
    return sidecar;
  }

  private constructor(options: SupervisedSidecarOptions, control: SidecarControl, credentials: Credentials) {
    this.request = options.request;
    this.#options = options;
    this.#control = control;
    this.#credentials = credentials;
  }

  get name(): string {
    return this.request.sidecar.name;
  }

  /** From now on it may die. */
  release(): void {
    this.#over.abort();
  }

  /** Tells it to end, and waits for as long as it may take. */
  end(): Promise<void> {
    this.release();
    return this.#control.end();
  }

  /**
   * Settles when the service has taken the run's newest credentials over; false when it had them, or is being
   * started again, which brings them.
   */
  async renewCredentials(): Promise<boolean> {
    const { credentials } = this.#options.run;
    if (!this.request.followsCredentials || credentials === this.#credentials || this.#control.ended) {
      return false;
    }
    this.#credentials = credentials;
    await this.#control.updateCredentials(credentials);
    return true;
  }

  async #supervise(): Promise<void> {
    const { run } = this.#options;
    const { signal } = this.#over;
    try {
      const death = await unlessAborted(signal, this.#control.died);
      run.logger.warn({ sidecar: this.name, ...death }, 'a sidecar has died and is started again');
      run.log.worker(`${this.#called} has ended unexpectedly (${causeOf(death)}) and is started again.`);
      await unlessAborted(signal, this.#restart());
      run.log.worker(`${this.#called} answers again.`);
      const again = await unlessAborted(signal, this.#control.died);
      throw this.#control.failure(`it ended (${causeOf(again)}), for the second time`);
    } catch (error) {
      if (!signal.aborted) {
        run.abort({ kind: 'sidecar-lost', message: (error as Error).message });
      }
    }
  }

  async #restart(): Promise<void> {
    const { run, unit, request } = this.#options;
    unit.restart(request.sidecar);
    const { credentials } = run;
    this.#control = await configure(this.#options);
    this.#credentials = credentials;
    await this.renewCredentials();
  }

  get #called(): string {
    return `The service ${this.name} (http://${this.request.sidecar.alias})`;
  }
}

function configure({ run, unit, request, taskContainer }: SupervisedSidecarOptions): Promise<SidecarControl> {
  const configured = unit.configure(
    request.sidecar,
    async (sidecar) => {
      const config = await request.configOf({ sidecar, taskContainer });
      await run.conceal(config);
      return config;
    },
    request.onEvent,
  );
  // Whatever it waits for ends with the unit, which ends with the run.
  return unlessAborted(run.signal, configured);
}

function causeOf({ exitCode, outOfMemory }: ContainerDeath): string {
  return outOfMemory ? 'it used more memory than it may' : `exit code ${exitCode}`;
}
