import type { Resolution } from './resolution.ts';

/** Why a run is stopped from outside; the reason of its abort signal. */
export type AbortCause =
  /** Resolved elsewhere: cancelled, past its deadline, or claimed by someone else. */
  | { kind: 'canceled' }
  | { kind: 'max-run-time'; seconds: number }
  | { kind: 'worker-shutdown' }
  /** A service that the task needs has died, and could not be replaced; the message has its last words. */
  | { kind: 'sidecar-lost'; message: string }
  /** A feature failed once the container ran. */
  | { kind: 'started-failed'; message: string }
  /** The claim could not be renewed in time: the queue gives the task to another worker. */
  | { kind: 'claim-lapsed' }
  /** What the task cannot help. */
  | { kind: 'host-fault'; message: string };

export class RunAbort extends Error {
  readonly abortCause: AbortCause;

  constructor(abortCause: AbortCause) {
    super(logText(abortCause));
    this.name = 'RunAbort';
    this.abortCause = abortCause;
  }

  get resolution(): Resolution {
    switch (this.abortCause.kind) {
      case 'canceled':
      case 'claim-lapsed':
        return { kind: 'none' };
      case 'max-run-time':
      case 'started-failed':
        return { kind: 'failed' };
      default:
        return { kind: 'exception', reason: 'worker-shutdown' };
    }
  }
}

function logText(cause: AbortCause): string {
  switch (cause.kind) {
    case 'canceled':
      return 'Task has been canceled, or its deadline has passed.';
    case 'max-run-time':
      return `Task timeout after ${cause.seconds} seconds. Force killing container.`;
    case 'started-failed':
      return `Task was aborted because states could not be started successfully. ${cause.message}`;
    case 'worker-shutdown':
      return 'Task has been aborted prematurely. Reason: worker-shutdown';
    case 'claim-lapsed':
      return 'Task has been aborted prematurely. The queue could not be reached before the claim of this worker ended.';
    case 'host-fault':
      return `Task has been aborted prematurely. Reason: worker-shutdown (${cause.message})`;
    case 'sidecar-lost':
      return `Task has been aborted prematurely. Reason: worker-shutdown. ${cause.message}`;
  }
}
