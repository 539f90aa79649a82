import { type WorkerConfig, workerNameOf } from '../../config/config.ts';
import type { FeatureSettings } from '../../config-file/worker-config.ts';
import { features } from '../../features/index.ts';
import { valueAt } from '../../payload/found.ts';
import { makeRunFolder } from '../../run/run-folder.ts';
import type { TaskDocument } from '../task-file/task-document.ts';

/**
 * The settings with what features make themselves for tasks that use them when it is not configured. Files for it are gone
 * with `resources`.
 *
 * @param say is told what was made
 */
export async function settingsOfOneRun(
  documents: TaskDocument[],
  settings: FeatureSettings,
  config: WorkerConfig,
  resources: AsyncDisposableStack,
  say: (text: string) => void,
): Promise<FeatureSettings> {
  const configured = settings as Record<string, unknown>;
  let complete = settings;
  for (const { name, settings: own = {}, settingsOfOneRun: make } of features) {
    const isUsed = documents.some(({ payload }) => valueAt(payload, ['features', name]) === true);
    if (make === undefined || !isUsed || Object.keys(own).some((key) => configured[key] !== undefined)) {
      continue;
    }
    const folder = resources.use(await makeRunFolder({ worker: workerNameOf(config), taskRun: 'settings' }));
    const made = await make(folder.path);
    say(`${name}: ${made.notice}`);
    complete = { ...complete, ...made.settings };
  }
  return complete;
}
