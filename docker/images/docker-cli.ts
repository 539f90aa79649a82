import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Label with the digest of what an image was made from; equal digests need no new bake. */
export const inputsLabel = 'docker-worker.inputs';

/** Runs the Docker command line and returns its standard output; a failure carries the command's own words. */
export async function dockerOutput(args: string[], env = process.env): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('docker', args, { maxBuffer: 64 * 1024 * 1024, env });
    return stdout.trim();
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`docker ${args[0]} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** `docker build`, by BuildKit where it is there: it takes two thirds of the time of the builder before it. */
export async function dockerBuild(args: string[]): Promise<string> {
  builtInBuildKit ??= hasBuiltInBuildKit();
  const env = (await builtInBuildKit) ? { DOCKER_BUILDKIT: '1', ...process.env } : process.env;
  return await dockerOutput(['build', ...args], env);
}

let builtInBuildKit: Promise<boolean> | undefined;

/** Docker before 23 has it and uses it when asked; later ones choose it themselves where the plugin buildx is, and other engines have none. */
async function hasBuiltInBuildKit(): Promise<boolean> {
  const format = '{{.Client.Version}} {{.Server.Version}} {{(index .Server.Components 0).Name}}';
  const [client = '', server = '', name] = (await dockerOutput(['version', '--format', format])).split(' ');
  return name === 'Engine' && [client, server].every((version) => Number.parseInt(version, 10) < 23);
}

/** A label of a local image: `undefined` when there is no such image, empty when it has no such label. */
export async function imageLabel(image: string, label: string): Promise<string | undefined> {
  try {
    return await dockerOutput(['image', 'inspect', '--format', `{{index .Config.Labels "${label}"}}`, image]);
  } catch {
    return undefined;
  }
}
