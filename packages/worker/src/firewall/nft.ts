import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { runHelper } from '../containers/helper-container.ts';
import { engineMessage } from '../engine/engine.ts';
import { ownImage } from './own-image.ts';

const run = promisify(execFile);

/** Carries commands of nftables out where an engine forwards the packets of its containers. */
export interface Nft {
  /**
   * All of them or none; gives what they print.
   *
   * @throws NftFailure
   */
  (commands: string): Promise<string>;
  /** Whether that is where this process is, too; then the engine's networks have to be seen from here. */
  readonly local: boolean;
}

/**
 * A process uses the `nft` of its host, which takes root. A worker in a container runs its own image on the engine's own network for
 * it, and needs no more than the engine for that.
 */
export async function findNft(docker: Docker, worker: string): Promise<Nft> {
  const image = await ownImage(docker);
  return image === undefined ? hostNft() : containerNft(docker, worker, image);
}

function hostNft(): Nft {
  // Who is not root often does not have them on the PATH.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  return Object.assign(
    async (commands: string) => {
      try {
        return (await run('nft', [commands], { env })).stdout;
      } catch (error) {
        throw hostFailure(error as NodeJS.ErrnoException & { stderr?: string });
      }
    },
    { local: true },
  );
}

function hostFailure(error: NodeJS.ErrnoException & { stderr?: string }): NftFailure {
  if (error.code === 'ENOENT') {
    return new NftFailure('this host has no "nft": install the package nftables');
  }
  const said = firstLine(error.stderr || error.message);
  return new NftFailure(
    /not permitted/i.test(said)
      ? 'this process may not change the rules of the host: run the worker as root, or as a container'
      : `nft failed: ${said}`,
  );
}

function containerNft(docker: Docker, worker: string, image: string): Nft {
  return Object.assign(
    async (commands: string) => {
      const options = {
        Entrypoint: ['nft'],
        Cmd: [commands],
        HostConfig: { NetworkMode: 'host', UsernsMode: 'host', CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] },
      };
      const { exitCode, stdout, stderr } = await runHelper(
        docker,
        { worker, image, role: 'firewall' },
        options,
      ).catch((error) => {
        throw new NftFailure(`the engine did not let it be set: ${firstLine(engineMessage(error))}`);
      });
      if (exitCode !== 0) {
        throw new NftFailure(`nft failed: ${firstLine(stderr)}`);
      }
      return stdout;
    },
    { local: false },
  );
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}

export class NftFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NftFailure';
  }
}
