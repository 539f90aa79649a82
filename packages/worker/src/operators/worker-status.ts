import type Docker from 'dockerode';
import { z } from 'zod';
import { type WorkerConfig, workerNameOf, workerPoolId } from '../config/config.ts';
import { bytesPerTask } from '../disk-room.ts';
import type { Engine } from '../engine/engine.ts';
import { engineDisk } from '../engine/free-disk.ts';
import { slotsOf } from '../features/index.ts';
import { label } from '../ownership/labels.ts';
import type { KeptThing } from '../run/kept-thing.ts';
import type { Run } from '../run/run.ts';
import { version } from '../version.ts';

/** What the status needs of a worker; nothing of it exists while the engine is being waited for. */
export interface Observed {
  config: WorkerConfig;
  /** `undefined` while there is none. */
  engine: Engine | undefined;
  runs: Iterable<Run>;
  /** What is kept on the host for later tasks, once there is a worker that keeps something. */
  kept?(): Promise<KeptThing[]>;
  /** Whether more will be claimed. */
  claiming: boolean;
}

export interface WorkerStatus {
  worker: { pool: string; group: string; id: string; state: WorkerState; upSeconds: number };
  versions: { worker: string; node: string; engine: string | undefined };
  capacity: { slots: number; running: number };
  disk: { freeBytes: number | undefined; neededBytesPerTask: number | undefined };
  runs: RunStatus[];
  /** Containers made ahead, for no run yet. */
  warm: ContainerStatus[];
}

export type WorkerState = 'claiming' | 'ending' | 'without engine';

export interface RunStatus {
  taskId: string;
  runId: number;
  name: string;
  claimed: string;
  /** When the task's container started; not before. */
  started: string | undefined;
  /** When its slot was free for another run, while its result is reported and what was made for it removed; not before. */
  vacated: string | undefined;
  /** What people can open while it runs, by name: `log`, `shell`. */
  links: Record<string, string>;
  containers: ContainerStatus[];
}

export interface ContainerStatus {
  role: string;
  id: string;
  state: string;
}

const Containers = z.array(
  z.looseObject({
    ...{ Id: z.string(), State: z.string(), Labels: z.record(z.string(), z.string()) },
    HostConfig: z.looseObject({ NetworkMode: z.string() }),
  }),
);
const EngineVersion = z.looseObject({ Version: z.string() });

/** How a worker is doing, as people and machines are told. What an engine does not answer is left out. */
export async function workerStatus({ config, engine, runs, claiming }: Observed): Promise<WorkerStatus> {
  const docker = engine === undefined || engine.lost.aborted || engine.silent ? undefined : engine.docker;
  const [containers, engineVersion, disk] = await Promise.all([
    containersOf(docker, config),
    docker?.version().then((answer) => EngineVersion.parse(answer).Version, absent),
    docker && engine && engineDisk(engine, config.dockerVolume),
  ]);
  const all = [...runs];
  return {
    worker: {
      pool: workerPoolId(config),
      group: config.workerGroup,
      id: config.workerId,
      state: docker === undefined ? 'without engine' : claiming ? 'claiming' : 'ending',
      upSeconds: Math.round(process.uptime()),
    },
    versions: { worker: version, node: process.versions.node, engine: engineVersion },
    capacity: { slots: slotsOf(config), running: all.filter(({ vacated }) => vacated === undefined).length },
    disk: { freeBytes: disk?.free, neededBytesPerTask: disk && bytesPerTask(config, disk) },
    runs: all.map((run) => ({
      ...{ taskId: run.taskId, runId: run.runId, name: run.task.metadata.name },
      claimed: run.claimed.toJSON(),
      started: run.started?.toJSON(),
      vacated: run.vacated?.toJSON(),
      links: Object.fromEntries(run.links),
      containers: take(containers, run.network),
    })),
    warm: [...containers.values()].flat(),
  };
}

/** Containers made ahead keep their labels when a run takes them; only their network tells whose they are. */
function take(containers: Map<string, ContainerStatus[]>, network = ''): ContainerStatus[] {
  const taken = containers.get(network) ?? [];
  containers.delete(network);
  return taken;
}

/** By network. */
async function containersOf(
  docker: Docker | undefined,
  config: WorkerConfig,
): Promise<Map<string, ContainerStatus[]>> {
  const filters = { label: [`${label.worker}=${workerNameOf(config)}`] };
  const listed = Containers.parse((await docker?.listContainers({ all: true, filters }).catch(absent)) ?? []);
  const byNetwork = Map.groupBy(listed, ({ HostConfig }) => HostConfig.NetworkMode);
  return new Map(
    [...byNetwork].map(([network, containers]) => [
      network,
      containers.map(({ Id, State, Labels }) => ({
        role: Labels[label.role] ?? '',
        id: Id.slice(0, 12),
        state: State,
      })),
    ]),
  );
}

function absent(): undefined {}
