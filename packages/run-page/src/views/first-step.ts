import type { TaskState } from './page-views.ts';

const steps: Record<string, string> = {
  failed:
    'Its command has ended with an exit code other than 0. The last lines of the log tell what it did last; a line that begins with [taskcluster:error] is the worker’s own reason.',
  'malformed-payload':
    'Its payload was refused before anything ran. The log names each field and what is wrong with it; correct the definition and create the task anew.',
  'resource-unavailable':
    'Something that it needs was not there, such as an image or a device. The log names it; run the task again when it is.',
  'worker-shutdown': 'Its worker was shut down. Nothing is wrong with the task; run it again.',
  'intermittent-task':
    'Its command has ended with an exit code that the payload calls one to try again. Look into the log whether it always does.',
  'claim-expired':
    'Its worker was not heard of any more. Look at the worker’s own log, then run the task again.',
  'deadline-exceeded':
    'It was not done by its deadline. See in the time line what took so long, then create it anew with a later one.',
  canceled: 'Somebody cancelled it. Run it again if it is still wanted.',
  'internal-error': 'The worker has failed. Its own log tells why; run the task again.',
};

/** The first thing to do about a run that has not succeeded; nothing of any other. */
export function firstStep(state: TaskState, reason = ''): string | undefined {
  return state === 'failed' || state === 'exception' ? (steps[reason] ?? steps.failed) : undefined;
}
