import { z } from 'zod';

/** A slug id, which also is a whole part of a path or of a file name. */
export const TaskId = z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'must be the id of a task');

export function isTaskId(text: string): boolean {
  return TaskId.safeParse(text).success;
}
