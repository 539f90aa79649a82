import { retry } from '../async/retry.ts';
import { isOutOfFiles } from '../file-limit.ts';

/** Repeats a removal for which this process has no file left: others close theirs, and what is not removed has no owner any more. */
export function whenFilesAllow<T>(removal: () => Promise<T>): Promise<T> {
  return retry(removal, { mayPass: isOutOfFiles });
}
