import { open } from 'node:fs/promises';
import { connectEngine } from '../engine/engine.ts';
import { features } from '../features/index.ts';
import { InvalidArchive } from '../images/invalid-archive.ts';
import { sendToEngine } from '../images/send-to-engine.ts';
import { missingSidecars } from '../sidecars/missing-sidecars.ts';
import { UserError } from '../user-error.ts';
import { version } from '../version.ts';

/** Loads the archive of a release, with the images of the sidecars. */
export async function loadImages(file: string): Promise<number> {
  await using engine = await connectEngine();
  await using archive = await open(file).catch((error: Error) => {
    throw new UserError(`${file} cannot be read: ${error.message}`);
  });
  if (!(await archive.stat()).isFile()) {
    throw new UserError(`${file} is no file: it must be the archive of images of a release.`);
  }
  await sendToEngine(engine.docker, archive.createReadStream({ autoClose: false }), engine.lost).catch(
    (error) => {
      throw error instanceof InvalidArchive
        ? new UserError(`${file} is no archive of images: ${error.message}`)
        : error;
    },
  );
  const missing = await missingSidecars(
    engine.docker,
    features.flatMap(({ sidecars = [] }) => sidecars),
  );
  if (missing.length > 0) {
    throw new UserError(
      `${file} was loaded, but it is not of docker-worker ${version}: still missing ${missing.join(', ')}.`,
    );
  }
  process.stdout.write(`the images of docker-worker ${version} are on this host\n`);
  return 0;
}
