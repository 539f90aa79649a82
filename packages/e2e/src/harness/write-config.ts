import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from './deployment.ts';

/** Writes the configuration of a worker for the pool that a deployment creates its tasks in; gives its path. */
export async function writeConfig(folder: string, { local }: Deployment, more: object = {}): Promise<string> {
  const file = join(folder, 'config.json');
  const config = {
    rootUrl: local.rootUrl,
    taskcluster: local.credentials,
    provisionerId: 'test',
    workerType: 'e2e',
    workerGroup: 'test-group',
    workerId: `test-start-${process.pid}`,
    capacityManagement: { diskspaceThreshold: 0 },
    admin: { port: 0 },
    ...more,
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
