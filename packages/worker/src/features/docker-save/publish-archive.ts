import taskcluster from 'taskcluster-client';
import { spoolStream } from '../../artifacts/storage/spool.ts';
import { uploadSpooled } from '../../artifacts/upload-file.ts';
import { bytesText } from '../../bytes-text.ts';
import { settingsOf } from '../../config/config.ts';
import { artifactTarget } from '../../run/artifact-target.ts';
import type { Run } from '../../run/run.ts';
import type { DiskBudget } from './disk-budget.ts';
import { settings } from './settings.ts';

/**
 * Makes a tar stream an artifact, compressed where the storage keeps that.
 *
 * @param expected about how many bytes will come, for the progress in the task's log; default: none is told
 */
export async function publishArchive(
  run: Run,
  name: string,
  archive: AsyncIterable<Buffer>,
  { budget, signal, expected }: { budget: DiskBudget; signal: AbortSignal; expected?: number },
): Promise<void> {
  const { storage, tempDir, log } = run;
  const { compressionLevel: level, expiration } = settingsOf(run.host.config, settings).dockerSave;
  const started = performance.now();
  const source = expected === undefined ? archive : tellingProgress(run, name, archive, expected);
  await using content = await spoolStream(source, Number.POSITIVE_INFINITY, {
    gzip: storage.keepsEncoding,
    level,
    tempDir,
    signal,
    onWrite: (bytes) => budget.take(bytes),
  });
  await uploadSpooled(content, {
    ...artifactTarget(run),
    name,
    contentType: 'application/x-tar',
    expires: earlier(taskcluster.fromNowJSON(expiration), run.task.expires),
    signal,
  });
  run.uploaded.set(name, { sha256: content.original.sha256 });
  run.host.onStep?.(run);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  log.worker(
    `dockerSave: ${name} is uploaded: ${bytesText(content.original.size)}, ` +
      `${bytesText(content.length)} as stored, in ${seconds} seconds`,
  );
}

async function* tellingProgress(
  { log }: Run,
  name: string,
  archive: AsyncIterable<Buffer>,
  expected: number,
): AsyncGenerator<Buffer> {
  const step = expected / 4;
  let bytes = 0;
  let told = 0;
  for await (const chunk of archive) {
    bytes += chunk.length;
    if (bytes >= (told + 1) * step && told < 3) {
      told = Math.floor(bytes / step);
      log.worker(`dockerSave: ${name}: ${bytesText(bytes)} of about ${bytesText(expected)}`);
    }
    yield chunk;
  }
}

function earlier(one: string, other: string): string {
  return new Date(one) < new Date(other) ? one : other;
}
