import { createArtifact } from '../../artifacts/storage/create-artifact.ts';
import type { Run } from '../../run/run.ts';
import { backingLogName, liveLogName } from './log-names.ts';
import { uploadLog } from './upload-log.ts';

export const logContentType = 'text/plain; charset=utf-8';

/** Uploads the log of a run, whatever features it uses; the name under which a live log is served leads to it from then on. */
export async function keepLog(run: Run): Promise<void> {
  const name = liveLogName(run.task.payload);
  await uploadLog(run, { name: backingLogName(name), contentType: logContentType });
  const link = {
    storageType: 'link',
    expires: run.task.expires,
    contentType: logContentType,
    artifact: backingLogName(name),
  };
  await createArtifact(run, name, run.over, link);
}
