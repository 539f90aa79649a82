import { readConfigDocument } from '../config-file/read-config.ts';
import type { Provider } from './provider.ts';
import { standalone } from './standalone.ts';
import { unregistered, workerManager } from './worker-manager.ts';
import { workerRunner } from './worker-runner.ts';

/**
 * Who a worker answers to, by how it was started and what its configuration says.
 *
 * @throws ConfigError with every problem at once
 */
export async function openProvider(file: string, host: 'standalone' | 'worker-runner'): Promise<Provider> {
  const document = await readConfigDocument(file);
  if (host === 'worker-runner') {
    return workerRunner(document);
  }
  const registering = unregistered(document);
  return registering === undefined ? standalone(document) : await workerManager(registering);
}
