import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'taskcluster-client';
import { refusalText } from '../../../queue/refusal-text.ts';
import { UserError } from '../../../user-error.ts';
import { listArtifacts } from './list-artifacts.ts';

/** Characters of what a stranger says. */
const longestWords = 200;

/** Saves the artifacts of a run under their names; links and errors have no content of their own. */
export async function downloadArtifacts(
  queue: Client,
  taskId: string,
  runId: number,
  folder: string,
): Promise<string[]> {
  const artifacts = await listArtifacts(queue, taskId, runId);
  const stored = artifacts.filter(({ storageType }) => storageType === 's3' || storageType === 'object');
  const files: string[] = [];
  const failed: string[] = [];
  // One after another: it is this machine's own disk, and a failure leaves none under way.
  for (const { name } of stored) {
    try {
      files.push(await download(queue.buildSignedUrl(queue.getArtifact, taskId, runId, name), name, folder));
    } catch (error) {
      failed.push((error as Error).message);
    }
  }
  if (failed.length > 0) {
    throw new UserError(
      [`${files.length} artifacts were saved in ${folder}, others not:`, ...failed].join('\n'),
    );
  }
  return files;
}

async function download(url: string, name: string, folder: string): Promise<string> {
  const file = resolve(folder, name);
  if (file === folder || relative(folder, file).startsWith('..')) {
    throw new Error(`The artifact "${name}" would be saved outside of ${folder}.`);
  }
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    const body = await response.text();
    const reason = [`HTTP status ${response.status}`, refusalText(body) ?? wordsIn(body)];
    throw new Error(`The artifact "${name}" could not be fetched: ${reason.filter(Boolean).join(', ')}.`);
  }
  try {
    await mkdir(dirname(file), { recursive: true });
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file));
    return file;
  } catch (error) {
    throw new Error(`The artifact "${name}" could not be saved as ${file}: ${reasonOf(error)}.`);
  }
}

/** What a storage or a proxy says: plain text, or that between tags. */
function wordsIn(body: string): string {
  return body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, longestWords);
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR'
    ? 'a file and a folder would have the same name'
    : message;
}
