import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'taskcluster-client';
import { z } from 'zod';
import { UserError } from '../../user-error.ts';

const ArtifactList = z.looseObject({
  artifacts: z.array(z.looseObject({ name: z.string(), storageType: z.string() })),
});

/** Saves the artifacts of a run under their names; links and errors have no content of their own. */
export async function downloadArtifacts(
  queue: Client,
  taskId: string,
  runId: number,
  folder: string,
): Promise<string[]> {
  const { artifacts } = ArtifactList.parse(await queue.listArtifacts(taskId, runId));
  const stored = artifacts.filter(({ storageType }) => storageType === 's3' || storageType === 'object');
  const files: string[] = [];
  // One after another: it is this machine's own disk, and a failure leaves none under way.
  for (const { name } of stored) {
    const file = resolve(folder, name);
    if (relative(folder, file).startsWith('..')) {
      throw new UserError(`The artifact "${name}" would be saved outside of ${folder}.`);
    }
    const response = await fetch(queue.buildSignedUrl(queue.getArtifact, taskId, runId, name));
    if (!response.ok || response.body === null) {
      throw new UserError(`The artifact "${name}" could not be fetched: HTTP status ${response.status}.`);
    }
    await mkdir(dirname(file), { recursive: true });
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file));
    files.push(file);
  }
  return files;
}
