import { existsSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { ConstructorOptions } from 'docker-modem';
import type Docker from 'dockerode';
import { z } from 'zod';
import { UserError } from '../user-error.ts';

/** The oldest version of the API that has all that is asked for, and the newest that this was written for. */
const oldestApi = '1.41';
const newestApi = '1.44';

const apiVersion = z.string().regex(/^\d+\.\d+$/);

const Version = z.looseObject({
  Version: z.string().catch(''),
  ApiVersion: apiVersion,
  MinAPIVersion: apiVersion.catch('1.12'),
  Components: z.array(z.looseObject({ Name: z.string() })).catch([]),
});

const told = z.boolean().catch(true);

const Info = z.looseObject({
  Name: z.string().catch(''),
  KernelVersion: z.string().catch(''),
  DockerRootDir: z.string().catch(''),
  SecurityOptions: z.array(z.string()).catch([]),
  /** Podman's way to tell of it. */
  Rootless: z.boolean().catch(false),
  CgroupVersion: z.string().catch('2'),
  MemoryLimit: told,
  CpuCfsQuota: told,
  CPUSet: told,
  PidsLimit: told,
});

/** What an engine is and can do, whoever has made it. */
export interface EngineCapabilities {
  /** What messages call it: `Docker Engine 20.10.24`, `Podman Engine 4.3.1`. */
  name: string;
  /** Where it is reached, the same for the same engine: a socket of this host, or a URL. */
  address: string;
  /** It is reached by a socket of this host. */
  hasSocket: boolean;
  /** The version of the API that it is spoken to in, as `1.41`. */
  api: string;
  /** The version of the kernel that containers run on. */
  kernel: string;
  /** It runs without rights over its host, so that containers get no devices of it. */
  rootless: boolean;
  /** It confines containers by AppArmor. */
  appArmor: boolean;
  /** Where it keeps its data, on whatever machine it is; empty if it does not tell. */
  dataFolder: string;
  /** What of the host a container can be limited to; the engine leaves other limits out, or refuses them. */
  limits: Record<'memory' | 'cpu' | 'cpuset' | 'pids', boolean>;
  /** Its containers run on the kernel of this process, and have the same devices; not so on another machine, or in a desktop's. */
  sharesKernel: boolean;
  /** It is on this host beyond doubt, as root, and sees the files that this process sees. */
  sharesFiles: boolean;
}

/**
 * Asks an engine once for all that is done differently by what it is. No other code asks which engine it is.
 *
 * @throws UserError when it speaks no version of the API that this process speaks
 */
export async function engineCapabilities(docker: Docker): Promise<EngineCapabilities> {
  const [version, info] = await Promise.all([
    docker.version().then((answer) => Version.parse(answer)),
    docker.info().then((answer) => Info.parse(answer)),
  ]);
  const name = engineName(version);
  const has = (option: string) => info.SecurityOptions.some((one) => one.split(',')[0] === `name=${option}`);
  const address = addressOf(docker);
  const hasSocket = address.startsWith('unix:');
  const rootless = info.Rootless || has('rootless');
  // Of control groups version 1 no user has any, whatever the engine tells.
  const limits = !(rootless && info.CgroupVersion === '1');
  return {
    name,
    address,
    hasSocket,
    api: commonApi(name, version),
    kernel: info.KernelVersion,
    rootless,
    appArmor: has('apparmor'),
    dataFolder: info.DockerRootDir,
    limits: {
      memory: limits && info.MemoryLimit,
      cpu: limits && info.CpuCfsQuota,
      cpuset: limits && info.CPUSet,
      pids: limits && info.PidsLimit,
    },
    sharesKernel: hasSocket && info.KernelVersion === release(),
    sharesFiles: hasSocket && !rootless && isThisHost(info),
  };
}

function engineName({ Components: [engine], Version: version }: z.infer<typeof Version>): string {
  const product = engine === undefined || engine.Name === 'Engine' ? 'Docker Engine' : engine.Name;
  return `${product} ${version}`.trim();
}

function commonApi(name: string, { ApiVersion, MinAPIVersion }: z.infer<typeof Version>): string {
  const speaks = `The ${name} speaks versions ${MinAPIVersion} to ${ApiVersion} of the API`;
  if (isOlder(ApiVersion, oldestApi)) {
    throw new UserError(
      `${speaks}; docker-worker needs ${oldestApi}, as Docker Engine 20.10 has it: update it.`,
    );
  }
  if (isOlder(newestApi, MinAPIVersion)) {
    throw new UserError(`${speaks}; this docker-worker knows them up to ${newestApi}: update docker-worker.`);
  }
  return isOlder(ApiVersion, newestApi) ? ApiVersion : newestApi;
}

function isOlder(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major === otherMajor ? minor < otherMinor : major < otherMajor;
}

function addressOf({ modem }: Docker): string {
  const { protocol, host, port, socketPath } = modem as ConstructorOptions;
  // The modem looks for the usual socket when it is first used.
  return host === undefined
    ? `unix:${typeof socketPath === 'string' ? socketPath : 'default'}`
    : `${protocol}://${host}:${port}`;
}

/** Its socket may lead elsewhere, as into the virtual machine of a desktop, or out of a container. */
function isThisHost({ Name, KernelVersion, DockerRootDir }: z.infer<typeof Info>): boolean {
  return Name === hostname() && KernelVersion === release() && existsSync(DockerRootDir);
}
