import { readFile } from 'node:fs/promises';
import type { OperatorSettings } from '@docker-worker/testdroid-proxy/release-session';
import { settingsOf, type WorkerConfig } from '../../config/config.ts';
import { settings } from './settings.ts';

/** How this worker itself reaches the cloud of phones; nothing when it has none. */
export async function cloudAccess(config: WorkerConfig): Promise<OperatorSettings | undefined> {
  const { testdroid } = settingsOf(config, settings);
  if (testdroid === undefined) {
    return undefined;
  }
  const { ca } = testdroid;
  return { ...testdroid, ca: ca === undefined ? undefined : await readFile(ca, 'utf8') };
}
