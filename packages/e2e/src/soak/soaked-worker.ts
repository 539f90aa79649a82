import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from '../harness/command.ts';
import type { Deployment } from '../harness/deployment.ts';

const mebibyte = 1024;

/** A worker as deployments run it: a process of its own. */
export class SoakedWorker extends Command {
  static async start(folder: string, { local }: Deployment, settings: object = {}): Promise<SoakedWorker> {
    const file = join(folder, 'config.json');
    const config = {
      rootUrl: local.rootUrl,
      taskcluster: local.credentials,
      ...{ provisionerId: 'test', workerType: 'e2e', workerGroup: 'soak', workerId: 'soak' },
      capacityManagement: { diskspaceThreshold: 0 },
      cache: { volumeCachePath: join(folder, 'caches') },
      stateDirectory: join(folder, 'state'),
      shutdown: { enabled: false },
      admin: { port: 0 },
      ...settings,
    };
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    return new SoakedWorker(['start', '--config', file]);
  }

  /** Memory of the process now (`VmRSS`) or at most until now (`VmHWM`), in MiB. */
  async memory(field: 'VmRSS' | 'VmHWM'): Promise<number> {
    const status = await readFile(`/proc/${this.process.pid}/status`, 'utf8');
    const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
    return Number(kibibytes) / mebibyte;
  }
}
