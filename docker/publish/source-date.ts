import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Seconds since 1970 that nothing in the images is later than: of the commit, unless SOURCE_DATE_EPOCH is set. */
export async function sourceDate(root: string): Promise<number> {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  const { stdout } = await promisify(execFile)('git', ['log', '-1', '--format=%ct'], { cwd: root });
  return Number(stdout);
}
