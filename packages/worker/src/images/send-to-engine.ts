import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { answerLines } from '../engine/answer-lines.ts';
import { engineMessage, engineStatus } from '../engine/engine.ts';
import { InvalidArchive } from './invalid-archive.ts';

/**
 * Loads an archive of images. A request body that ends early must not pass for a whole one, so a failure cuts the
 * connection.
 *
 * @throws InvalidArchive when the engine refuses it
 */
export async function sendToEngine(
  docker: Docker,
  archive: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  const cut = new AbortController();
  const body = new PassThrough();
  const sent = pipeline(archive, body, { signal: AbortSignal.any([signal, cut.signal]) });
  const answered = answerTo(docker, body, AbortSignal.any([signal, cut.signal]));
  answered.catch(() => {});
  try {
    await Promise.all([sent, answered]);
  } catch (error) {
    cut.abort(error);
    signal.throwIfAborted();
    // What is wrong with the archive says more than that the engine has not got all of it.
    const [sending] = await Promise.allSettled([sent]);
    const aborted = sending.status === 'fulfilled' || (sending.reason as Error).name === 'AbortError';
    throw aborted ? error : sending.reason;
  }
}

async function answerTo(docker: Docker, body: Readable, signal: AbortSignal): Promise<void> {
  try {
    const stream = await docker.loadImage(body, { quiet: true, abortSignal: signal } as object);
    for await (const line of answerLines(stream)) {
      const { error } = JSON.parse(line) as { error?: string };
      if (error !== undefined) {
        throw new InvalidArchive(withoutFolder(error));
      }
    }
  } catch (error) {
    throw engineStatus(error) === undefined ? error : new InvalidArchive(withoutFolder(engineMessage(error)));
  }
}

/** Files of an archive lie in the engine's folders for a while, and Podman tries it as a folder, too; that means nothing to anybody else. */
function withoutFolder(message: string): string {
  return message
    .replace(/\n \* (oci|dir): .*/g, '')
    .replace(/\/\S*?\/docker-import-\d+\//g, '')
    .replace(/untarring file "[^"]*": /g, '');
}
