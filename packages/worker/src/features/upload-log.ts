import { uploadFile } from '../artifacts/upload-file.ts';
import type { Run } from '../run/run.ts';

/** Uploads a run's log, which has its last byte, compressed; gives the hash of what it is uncompressed. */
export async function uploadLog(
  run: Run,
  { name, contentType }: { name: string; contentType: string },
): Promise<{ sha256: string }> {
  return await uploadFile({
    queue: run.queue,
    taskId: run.taskId,
    runId: run.runId,
    name,
    expires: run.task.expires,
    contentType,
    source: run.log.path,
    gzip: true,
    storage: run.storage,
    tempDir: run.tempDir,
  });
}
