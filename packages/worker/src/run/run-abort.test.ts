import { expect, test } from '@jest/globals';
import { resolutionText } from './resolution.ts';
import { type AbortCause, RunAbort } from './run-abort.ts';

test.each<[AbortCause, string, string]>([
  [{ kind: 'canceled' }, 'none', 'Task has been canceled, or its deadline has passed.'],
  [
    { kind: 'max-run-time', seconds: 10 },
    'failed',
    'Task timeout after 10 seconds. Force killing container.',
  ],
  [
    { kind: 'worker-shutdown' },
    'exception/worker-shutdown',
    'Task has been aborted prematurely. Reason: worker-shutdown',
  ],
  [
    { kind: 'started-failed', message: 'no certificate' },
    'failed',
    'Task was aborted because states could not be started successfully. no certificate',
  ],
  [
    { kind: 'host-fault', message: 'the engine is gone' },
    'exception/worker-shutdown',
    'Task has been aborted prematurely. Reason: worker-shutdown (the engine is gone)',
  ],
  [
    { kind: 'claim-lapsed' },
    'none',
    'Task has been aborted prematurely. The queue could not be reached before the claim of this worker ended.',
  ],
])('a run that is aborted by %j resolves as %s and says why', (cause, resolution, text) => {
  const abort = new RunAbort(cause);

  expect(resolutionText(abort.resolution)).toBe(resolution);
  expect(abort.message).toBe(text);
});

test.each(['completed', 'failed', 'none'] as const)('%s is its own text', (kind) => {
  expect(resolutionText({ kind })).toBe(kind);
});
