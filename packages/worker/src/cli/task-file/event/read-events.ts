import { existsSync } from 'node:fs';
import { UserError } from '../../../user-error.ts';
import type { EventKind, EventSource } from './event.ts';
import { eventOfFile } from './event-of-file.ts';
import { eventsOfRepository } from './event-of-repository.ts';

/**
 * What `--event` and `--event-file` say; nothing without them.
 *
 * @param file a policy in the repository that an event is made of
 * @throws UserError
 */
export async function readEvents(
  file: string,
  { event, eventFile }: { event?: EventKind; eventFile?: string },
): Promise<EventSource | undefined> {
  if (eventFile !== undefined) {
    return await eventOfFile(eventFile, event);
  }
  if (event !== undefined && file === '-') {
    throw new UserError('--event needs a file, whose repository it is made of; or give --event-file FILE');
  }
  // A file that is not there is told by who reads it.
  return event === undefined || !existsSync(file) ? undefined : await eventsOfRepository(event, file);
}
