import { randomBytes } from 'node:crypto';
import type { Owner } from './labels.ts';

/** Characters of a name that people gave, of which engines take more than people read. */
const longestPart = 40;

/**
 * The name of a container, for who lists them: whose it is and what for. Its end makes it the only one.
 *
 * @param task what people call the task, if there is one
 */
export function containerName({ taskRun }: Owner, role: string, task?: string): string {
  const parts = [task ?? 'docker-worker', role, taskRun, randomBytes(3).toString('hex')];
  return parts.map((part) => plain(part).slice(0, longestPart)).join('.');
}

/** Engines take letters, digits, and these marks behind one of the former. */
function plain(part: string): string {
  return part.replace(/[^a-zA-Z0-9_-]+/g, '-').replace(/^[^a-zA-Z0-9]+/, '') || 'task';
}
