import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import type { HostConfig } from 'dockerode';
import type { z } from 'zod';
import type { WorkerConfig } from '../config/config.ts';
import type { RunningContainer } from '../containers/task-container.ts';
import type { Engine } from '../engine/engine.ts';
import type { Payload } from '../payload/payload.ts';
import type { Problem } from '../problem.ts';
import type { TaskDefinition } from '../queue/queue.ts';
import type { HostPart } from '../run/host-part.ts';
import type { Run } from '../run/run.ts';
import type { SidecarControl } from '../sidecars/sidecar-control.ts';

/**
 * A power that a task can ask for in `payload.features`. One folder each, with its settings, what it keeps on the host
 * and its tests; `all.ts` is the only list of them.
 *
 * Order of calls for a run: `openLog` as soon as the run is claimed, then `problems`, then `prepare`
 * (all features at once), then the hooks of what `prepare` returned, then the log consumer's `onClosed`.
 * A feature never sees a run that did not ask for it.
 */
export interface Feature {
  /** Key in `payload.features`, or what messages call it when it is asked for elsewhere. */
  name: string;
  /** What it gives to a task, as the schema of the payload says it; not for a power that is asked for elsewhere. */
  description?: string;
  /** Its keys in the worker's configuration. Other code reads them with `settingsOf`. */
  settings?: z.ZodRawShape;
  /** Makes, in a folder that is gone afterwards, what of its settings somebody has not who only runs a task. */
  settingsOfOneRun?(folder: string): Promise<SettingsOfOneRun>;
  /** What it keeps on the host for all runs; a run gets at it with `run.host.parts.of`. */
  host?: HostPart;
  /** How many tasks run at once, where the feature decides that instead of `capacity`. */
  slots?(config: WorkerConfig): number | undefined;
  /** Folders that the engine must see under the same path, by the configuration keys that name them. */
  sharedFolders?(config: WorkerConfig): Record<string, string>;
  /** Where on the host the ports of its sidecars are published. */
  published?(config: WorkerConfig): { address?: string; ports?: string };
  /** For a power that a payload asks for outside of `payload.features`, which it then is not part of. */
  askedBy?(payload: Payload, config: WorkerConfig): boolean;
  /** Whether a payload that does not name the feature uses it. */
  defaultOn: boolean;
  /** The services that it starts beside the task. */
  sidecars?: readonly Sidecar[];
  /** Whether a worker whose configuration does not name the feature offers it; default true. */
  enabledUnlessConfigured?: boolean;
  /** Why this worker cannot offer the feature (kernel, configuration); `undefined` when it can. */
  unavailable?(config: WorkerConfig): string | undefined;
  /** Scopes that the task's definition must hold to use the feature. */
  requiredScopes?(request: FeatureRequest): string[];
  /** Scopes that the worker's own credentials need for it. */
  workerScopes?(config: WorkerConfig): RequiredScope[];
  /** What else forbids this task to use it, as missing payload parts. Nothing has been created yet. */
  problems?(request: FeatureRequest): Problem[] | Promise<Problem[]>;
  /** The artifacts that it makes by itself; the payload cannot declare any of these names. */
  artifactNames?(payload: Payload, config: WorkerConfig): string[];
  /** What the task's log tells of the validation although nothing forbids the task. */
  notices?(request: FeatureRequest): string[];
  /**
   * Starts following the log from its first byte, before the payload is known to be valid. A rejection is
   * reported as the run's internal error once the task has ended.
   */
  openLog?(run: Run): Promise<LogConsumer>;
  /** May create things; what it creates is registered on `run.resources` before it returns or throws. */
  prepare?(run: Run, payload: Payload): Promise<Contribution>;
}

/** Features of one kind, of which the worker's configuration names as many as it likes. */
export interface FeatureFamily {
  /** The configuration's key whose keys are the names. */
  key: string;
  settings: z.ZodRawShape;
  /** Without a configuration only those that are always there. */
  features(config?: WorkerConfig): Feature[];
}

export interface FeatureRequest {
  task: TaskDefinition;
  payload: Payload;
  config: WorkerConfig;
  /** On which the task would run. */
  engine: Pick<Engine, 'docker' | 'capabilities'>;
  /** The task's scopes with its roles expanded; asks the auth service when it is first called. */
  expandedScopes(): Promise<string[]>;
}

/** Settings that were made for one run, and what whoever started it is told of them. */
export interface SettingsOfOneRun {
  settings: Record<string, unknown>;
  notice: string;
}

/** A scope that a deployment has to grant, and what does not work without it. */
export interface RequiredScope {
  scope: string;
  without: string;
}

export interface LogConsumer {
  /** The log has its last byte. Uploads go here; a rejection fails the run. */
  onClosed(): Promise<void>;
}

/** What a feature adds to a run. All parts are optional; hooks of different features run concurrently. */
export interface Contribution {
  sidecars?: SidecarRequest[];
  /** Variables of the task container; `payload.env` overrides them. */
  env?: Record<string, string>;
  /** A program in the container, with arguments, that is run with the image's entry point and the command. */
  wrapper?: readonly string[];
  /** Merged into the task container's HostConfig; lists are concatenated. */
  hostConfig?: Pick<HostConfig, 'Binds' | 'CapAdd' | 'SecurityOpt' | 'Devices' | 'Privileged' | 'CpusetCpus'>;
  /** The task's image, by its id, is on the host; its container has yet to be created, and waits for this. */
  onImage?(imageId: string): Promise<void>;
  /** The container runs. Not awaited before the task goes on; a rejection aborts the run. */
  onStarted?(container: RunningContainer): Promise<void>;
  /**
   * The task's maxRunTime is over. True when its command has ended before and the container now ends of
   * itself, with the command's exit code: then this is no time-out.
   */
  onTimeUp?(): boolean;
  /**
   * The container has exited and still exists. A rejection fails a run that had succeeded. `signal` bounds
   * the time when the worker is shutting down.
   */
  onExited?(container: RunningContainer, signal: AbortSignal): Promise<void>;
}

export interface SidecarRequest {
  /** One of the feature's {@link Feature.sidecars}. */
  sidecar: Sidecar;
  /** What the service is configured with, by what holds now: called each time that it has been started, twice at most. */
  configOf(place: SidecarPlace): unknown;
  /** Whether the service is handed the new credentials at every reclaim. */
  followsCredentials: boolean;
  /** Whether the service is told to end as soon as the task has, before artifacts are uploaded. */
  endsWithTask?: boolean;
  /** Gets what the service tells by itself; what it throws is logged. */
  onEvent?(event: unknown): void;
}

/** Where a service has come to be. */
export interface SidecarPlace {
  sidecar: SidecarControl;
  /** Id of the task's container; asking for it waits until it has been created. */
  taskContainer(): Promise<string>;
}

/** Ties a configuration to the schema of the service that will parse it. */
export function sidecarRequest<Config extends z.ZodType>(
  sidecar: Sidecar<Config>,
  config: z.input<Config> | ((place: SidecarPlace) => Promise<z.input<Config>>),
  {
    followsCredentials = false,
    ...rest
  }: Partial<Pick<SidecarRequest, 'followsCredentials' | 'endsWithTask' | 'onEvent'>> = {},
): SidecarRequest {
  return {
    sidecar,
    configOf: typeof config === 'function' ? (config as SidecarRequest['configOf']) : () => config,
    followsCredentials,
    ...rest,
  };
}
