import { createHash } from 'node:crypto';
import type { Owner } from './labels.ts';
import { ownProcess, type ProcessIdentity } from './process-identity.ts';

/**
 * Says in a name whose a thing is that carries no labels: 90 characters or so of letters, digits, "_", "-"
 * and ".".
 */
export function ownerTag({ worker, taskRun }: Owner): string {
  return [nameDigest(worker), ownProcess.replaceAll(':', '.'), taskRun.replace('/', '-')].join('.');
}

export interface TaggedOwner {
  process: ProcessIdentity;
  /** Whether it was a worker of that name. */
  isOf(worker: string): boolean;
}

/** Whose it is, by what {@link ownerTag} made; `undefined` when that did not make it. */
export function ownerOfTag(tag: string): TaggedOwner | undefined {
  const [digest = '', ...process] = tag.split('.').slice(0, 5);
  return /^[0-9a-f]{12}$/.test(digest) && process.length === 4
    ? { process: process.join(':'), isOf: (worker) => digest === nameDigest(worker) }
    : undefined;
}

function nameDigest(worker: string): string {
  return createHash('sha256').update(worker).digest('hex').slice(0, 12);
}
