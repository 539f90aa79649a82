import { dockerOutput } from './docker-cli.ts';

/** What published images are for, where they can be made for all of it. */
const wanted = ['linux/amd64', 'linux/arm64'];

const nodeArchitectures: Record<string, string> = { amd64: 'x64', arm64: 'arm64' };

/** Debian's and Docker's name of the architecture that this program runs on. */
export const hostArchitecture =
  Object.keys(nodeArchitectures).find((name) => nodeArchitectures[name] === process.arch) ?? process.arch;

export interface Platforms {
  /** For which images are made: one is the host's, by the engine; several are made by buildx. */
  names: string[];
  /** One line for whoever publishes. */
  explanation: string;
  /** Whether the builder can give files of layers the time of the source; an engine that builds by itself cannot. */
  reproducible: boolean;
}

/** Asks the Docker command line's current builder what it can build for. */
export async function buildPlatforms(): Promise<Platforms> {
  const builder = await currentBuilder();
  const problem = typeof builder === 'string' ? builder : await whyNot(builder);
  if (typeof builder !== 'string' && problem === undefined) {
    const reproducible = builder.driver !== 'docker';
    return { names: wanted, explanation: `for ${wanted.join(' and ')}, by buildx`, reproducible };
  }
  const host = `linux/${hostArchitecture}`;
  return { names: [host], explanation: `for ${host} only: ${problem}`, reproducible: true };
}

interface Builder {
  name: string;
  driver: string;
  platforms: string[];
}

/** The builder, or why there is none. */
async function currentBuilder(): Promise<Builder | string> {
  try {
    const text = await dockerOutput(['buildx', 'inspect', '--bootstrap']);
    const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(text)?.[1]?.trim() ?? '';
    // Of several nodes each has a line of its own; those a person has set are marked with an asterisk.
    const platforms = [...text.matchAll(/^Platforms:\s*(.+)$/gm)]
      .flatMap(([, line = '']) => line.split(','))
      .map((name) => name.trim().replace(/\*$/, ''));
    return { name: field('Name'), driver: field('Driver'), platforms };
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n').slice(1).filter(Boolean);
    return /not a docker command/.test(reason)
      ? 'docker has no buildx'
      : `buildx has no builder that works (${reason})`;
  }
}

async function whyNot({ name, driver, platforms }: Builder): Promise<string | undefined> {
  const missing = wanted.filter((platform) => !platforms.includes(platform));
  if (missing.length > 0) {
    return `the builder "${name}" does not build for ${missing.join(', ')} (QEMU's binfmt handlers would let it)`;
  }
  // The engine itself is the builder then, and its classic store has no place for lists of images.
  if (driver !== 'docker' || (await storesLists())) return undefined;
  return `the builder "${name}" makes one platform at a time ("docker buildx create --use" makes a better one)`;
}

async function storesLists(): Promise<boolean> {
  const status = await dockerOutput(['info', '--format', '{{json .DriverStatus}}']);
  return status.includes('io.containerd.snapshotter');
}
