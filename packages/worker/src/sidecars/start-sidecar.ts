import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import { heldOpen } from '../containers/held-open.ts';
import { type Engine, engineMessage } from '../engine/engine.ts';
import { possibleLimits } from '../engine/possible-limits.ts';
import { containerName } from '../ownership/container-name.ts';
import { type Owner, ownershipLabels } from '../ownership/labels.ts';
import { ensureSidecarImage } from './ensure-sidecar-image.ts';
import { openPortTunnel } from './port-tunnel.ts';
import { SidecarControl, SidecarFailure } from './sidecar-control.ts';
import { type SidecarImages, sidecarImage } from './sidecar-image.ts';
import { makeSocketFolder } from './socket-folder.ts';

const memoryLimit = 512 * 1024 * 1024;
const pidsLimit = 256;
/** In microseconds; the engine takes no smaller quota. */
const cpuPeriod = 100_000;
const leastQuota = 1_000;

/** Services are not root, and listen at port 80; not every engine allows that by itself. */
const everyPort = { 'net.ipv4.ip_unprivileged_port_start': '0' };

export interface SidecarOptions {
  network: string;
  /** What it has to be told of names, as Docker takes them. */
  extraHosts: string[];
  owner: Owner;
  images: SidecarImages;
  /** How long a service may take to answer. */
  readySeconds: number;
  /** How many cores a service may keep busy. */
  cpus: number;
  /** Where the worker keeps what it shares with sidecars. */
  stateDirectory: string;
  /** Where ports are published: an address of the host, all without it; and ports as `first-last`, else any. */
  publish: { address?: string; ports?: string };
  /** Aborted when nobody wants it any more. */
  signal: AbortSignal;
  /** Gets each line that the service logs. */
  onLog(line: string): void;
}

/**
 * Starts any service on a run's network under its alias. It is *warm* then: what booting costs is paid, and
 * it knows nothing yet.
 *
 * @throws SidecarFailure
 */
export async function startSidecar(
  engine: Engine,
  sidecar: Sidecar,
  {
    network,
    extraHosts,
    owner,
    images,
    readySeconds,
    cpus,
    stateDirectory,
    publish,
    signal,
    onLog,
  }: SidecarOptions,
): Promise<SidecarControl> {
  await using resources = new AsyncDisposableStack();
  const identity = { name: sidecar.name, image: sidecarImage(sidecar, images) };
  const failure = (error: unknown) => new SidecarFailure(identity, engineMessage(error));
  const port = `${sidecar.port}/tcp`;
  const imageId = await ensureSidecarImage(engine.docker, sidecar, images, signal);
  const folder =
    sidecar.sockets === undefined
      ? undefined
      : await makeSocketFolder(engine, {
          ...{ owner, stateDirectory, image: imageId, target: sidecar.sockets },
        }).then(
          (made) => resources.use(made),
          (error) => {
            throw failure(error);
          },
        );
  // Elsewhere, or in a desktop's machine that brings it here.
  const isPublished = sidecar.publish && engine.capabilities.hasSocket;
  const container = await engine.docker
    .createContainer({
      name: containerName(owner, `sidecar:${sidecar.name}`),
      Image: imageId,
      Cmd: ['--control', 'stdin'],
      Labels: ownershipLabels(owner, `sidecar:${sidecar.name}`),
      ...heldOpen,
      ...(isPublished ? { ExposedPorts: { [port]: {} } } : {}),
      HostConfig: possibleLimits(
        {
          NetworkMode: network,
          ExtraHosts: extraHosts,
          AutoRemove: true,
          CapDrop: ['ALL'],
          CapAdd: [...(sidecar.capabilities ?? [])],
          Devices: (sidecar.devices ?? []).map((path) => ({
            PathOnHost: path,
            PathInContainer: path,
            CgroupPermissions: 'rwm',
          })),
          Sysctls: { ...everyPort, ...sidecar.sysctls },
          Binds: folder === undefined ? [] : [folder.bind],
          PortBindings: isPublished
            ? { [port]: [{ HostIp: publish.address ?? '', HostPort: publish.ports ?? '' }] }
            : {},
          ReadonlyRootfs: true,
          Tmpfs: { '/tmp': '' },
          SecurityOpt: ['no-new-privileges'],
          Memory: memoryLimit,
          PidsLimit: pidsLimit,
          // Unlike its other form, the engine takes this one for more cores than the host has, too.
          CpuPeriod: cpuPeriod,
          CpuQuota: Math.max(leastQuota, Math.round(cpus * cpuPeriod)),
          LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
        },
        engine.capabilities,
      ),
      NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [sidecar.alias] } } },
    })
    .catch((error: unknown) => {
      throw failure(error);
    });
  const control = new SidecarControl(engine, container, identity, {
    ...{ answerSeconds: readySeconds, stopSeconds: sidecar.stopSeconds ?? 0, onLog, port },
    sockets: folder?.path,
    tunnel: isPublished ? undefined : () => openPortTunnel(container, sidecar.port, publish),
    resources: resources.move(),
  });
  try {
    await control.start();
    return control;
  } catch (error) {
    await control[Symbol.asyncDispose]().catch((left) =>
      onLog(`its container could not be removed: ${engineMessage(left)}`),
    );
    throw error;
  }
}
