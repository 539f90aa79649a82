import { accessSync, constants, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { UserError } from '../../../user-error.ts';
import { junit } from './junit.ts';
import type { TaskResult } from './task-result.ts';

const forms: Record<string, (results: TaskResult[]) => string> = {
  '.json': (results) => `${JSON.stringify({ tasks: results }, null, 2)}\n`,
  '.xml': junit,
};

/**
 * Makes sure, before anything runs, that reports can be written.
 *
 * @throws UserError
 */
export function checkReports(files: string[]): void {
  for (const file of files) {
    if (forms[extname(file)] === undefined) {
      throw new UserError(`--report ${file}: name a file that ends in .json, or in .xml for JUnit's form`);
    }
    try {
      accessSync(dirname(file), constants.W_OK);
    } catch (error) {
      throw new UserError(
        `--report ${file}: ${reasonOf(error)}; name a file in a folder that you may write to`,
      );
    }
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw new UserError(`--report ${file}: it is a folder; name a file`);
    }
  }
}

/** What cannot be written is told, and changes nothing about the tasks. */
export async function writeReports(files: string[], results: TaskResult[]): Promise<void> {
  for (const file of files) {
    await writeFile(file, forms[extname(file)]?.(results) ?? '').catch((error) => {
      process.stderr.write(`--report ${file}: could not be written: ${reasonOf(error)}\n`);
    });
  }
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such folder',
    EACCES: 'you may not write there',
    EROFS: 'that file system is read-only',
  };
  return reasons[code] ?? message;
}
