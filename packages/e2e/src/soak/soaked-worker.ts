import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from '../harness/command.ts';
import type { Deployment } from '../harness/deployment.ts';
import { writeConfig } from '../harness/write-config.ts';

const program = join(import.meta.dirname, '../../../worker/bin/docker-worker');
const mebibyte = 1024;
/** Tells what soaked workers make on the engine from what others do. */
export const soakGroup = 'soak';
/** Tells their processes from others. */
export const soakVariable = 'DOCKER_WORKER_SOAK';

/** A worker as deployments run it: a process of its own, which keeps all its files in one folder. */
export class SoakedWorker extends Command {
  static async start(folder: string, deployment: Deployment, settings: object = {}): Promise<SoakedWorker> {
    const file = await writeConfig(folder, deployment, {
      ...{ workerGroup: soakGroup, workerId: 'soak' },
      cache: { volumeCachePath: join(folder, 'caches') },
      stateDirectory: join(folder, 'state'),
      shutdown: { enabled: false },
      ...settings,
    });
    const env = {
      TMPDIR: join(folder, 'tmp'),
      // Stays for all workers of this version.
      NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
      // Its child processes have it as well.
      [soakVariable]: folder,
    };
    await mkdir(env.TMPDIR, { recursive: true });
    return new SoakedWorker(['start', '--config', file], { program, env });
  }

  /** Memory of the process now (`VmRSS`) or at most until now (`VmHWM`), in MiB. */
  async memory(field: 'VmRSS' | 'VmHWM'): Promise<number> {
    const status = await readFile(`/proc/${this.process.pid}/status`, 'utf8');
    const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
    return Number(kibibytes) / mebibyte;
  }
}
