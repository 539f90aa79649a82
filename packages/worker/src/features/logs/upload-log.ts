import { uploadFile } from '../../artifacts/upload-file.ts';
import { artifactTarget } from '../../run/artifact-target.ts';
import type { Run } from '../../run/run.ts';

/** Uploads a run's log, which has its last byte, compressed; gives the hash of what it is uncompressed. */
export async function uploadLog(
  run: Run,
  { name, contentType }: { name: string; contentType: string },
): Promise<{ sha256: string }> {
  return await uploadFile({
    ...artifactTarget(run),
    name,
    expires: run.task.expires,
    contentType,
    source: run.log.path,
    gzip: true,
    tempDir: run.tempDir,
    signal: run.over,
  });
}
