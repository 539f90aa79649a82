import type { ContainerCreateOptions } from 'dockerode';
import { terminal } from '../../containers/task-container.ts';
import { possibleLimits } from '../../engine/possible-limits.ts';
import type { Contribution } from '../../features/feature.ts';
import type { Payload } from '../../payload/payload.ts';
import type { Run } from '../../run/run.ts';
import type { RunUnit } from '../../sidecars/run-unit.ts';
import { resourceLimits } from './resource-limits.ts';
import { taskEnvironment } from './task-environment.ts';

/** The task's container as the engine is asked for it; no I/O. */
export function taskContainerOptions(
  run: Run,
  payload: Payload,
  imageId: string,
  { network, extraHosts }: Pick<RunUnit, 'network' | 'extraHosts'>,
  contributions: Contribution[],
): ContainerCreateOptions {
  const merged = <Key extends 'Binds' | 'CapAdd' | 'SecurityOpt' | 'Devices'>(key: Key) =>
    contributions.flatMap(({ hostConfig }) => (hostConfig?.[key] as unknown[] | undefined) ?? []) as never;
  const cores = contributions.find(({ hostConfig }) => hostConfig?.CpusetCpus)?.hostConfig?.CpusetCpus;
  const contributedEnv = Object.assign({}, ...contributions.map(({ env }) => env));
  return {
    Image: imageId,
    ...(payload.command === undefined ? {} : { Cmd: payload.command }),
    Env: taskEnvironment(run, contributedEnv, payload.env),
    Tty: true,
    AttachStdin: false,
    OpenStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: possibleLimits(
      {
        NetworkMode: network,
        ConsoleSize: [terminal.rows, terminal.columns],
        ...resourceLimits(run.host.config),
        ExtraHosts: ['localhost.localdomain:127.0.0.1', ...extraHosts],
        // The worker reads the output as it comes and keeps it itself.
        LogConfig: { Type: 'none', Config: {} },
        Privileged: contributions.some(({ hostConfig }) => hostConfig?.Privileged),
        ...(cores === undefined ? {} : { CpusetCpus: cores }),
        Binds: merged('Binds'),
        CapAdd: merged('CapAdd'),
        SecurityOpt: merged('SecurityOpt'),
        Devices: merged('Devices'),
      },
      run.host.engine.capabilities,
    ),
  };
}
