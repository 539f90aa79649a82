/** How a run ends on the queue; `none` leaves it as it is, because it was resolved elsewhere or its claim lapsed. */
export type Resolution =
  | { kind: 'completed' }
  | { kind: 'failed' }
  | { kind: 'exception'; reason: ExceptionReason }
  | { kind: 'none' };

/** The queue makes another run after `worker-shutdown` and `intermittent-task`, as often as the task allows. */
export type ExceptionReason =
  | 'worker-shutdown'
  | 'malformed-payload'
  | 'resource-unavailable'
  | 'intermittent-task';

export function resolutionText(resolution: Resolution): string {
  return resolution.kind === 'exception' ? `exception/${resolution.reason}` : resolution.kind;
}

/** Ends a run before or instead of its task's own exit; the message goes into the task's log as error lines. */
export class RunFailure extends Error {
  readonly resolution: Resolution;

  constructor(resolution: Resolution, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunFailure';
    this.resolution = resolution;
  }
}
