import type { WorkerConfig } from '../../config/config.ts';

/** What the surroundings of a machine say about it: the part of `registerWorker` that is not asked for here. */
export interface Machine {
  rootUrl: string;
  providerId: string;
  workerPoolId: string;
  workerGroup: string;
  workerId: string;
  workerIdentityProof: object;
  /** Configuration that follows from where the machine is. */
  settings: MachineSettings;
}

export type MachineSettings = Partial<
  Pick<
    WorkerConfig,
    | 'host'
    | 'publicIp'
    | 'privateIp'
    | 'workerNodeType'
    | 'instanceType'
    | 'instanceId'
    | 'region'
    | 'workerLocation'
  >
>;

/** Where a machine runs, as far as it can be asked. */
export interface Cloud {
  /** @throws UserError when the metadata are not those of a worker */
  identify(): Promise<Machine>;
  /** Settles when the machine is about to be taken away; never before, and not at all where nothing tells. */
  terminating(signal: AbortSignal): Promise<void>;
  /** Whether worker-manager started the machine, and stops it when its worker is removed. */
  disposable: boolean;
}
