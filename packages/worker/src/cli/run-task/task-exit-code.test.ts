import { expect, test } from '@jest/globals';
import { outcomeOf } from '../../run/outcome.ts';
import type { Resolution } from '../../run/resolution.ts';
import type { AbortCause } from '../../run/run-abort.ts';
import { taskExitCode } from './task-exit-code.ts';

const exception = (reason: 'malformed-payload' | 'worker-shutdown' | 'intermittent-task'): Resolution => ({
  kind: 'exception',
  reason,
});

interface Ending {
  resolution: Resolution;
  own?: number;
  abort?: AbortCause;
  isTaken?: boolean;
}

test.each<[string, number, Ending]>([
  ['success', 0, { resolution: { kind: 'completed' }, own: 0 }],
  ['its own failure', 3, { resolution: { kind: 'failed' }, own: 3 }],
  ['a failure that it may have again', 4, { resolution: exception('intermittent-task'), own: 4 }],
  ['time-out', 124, { resolution: { kind: 'failed' }, abort: { kind: 'max-run-time', seconds: 1 } }],
  ['no such image', 125, { resolution: { kind: 'failed' } }],
  ['a malformed payload', 65, { resolution: exception('malformed-payload') }],
  ['the fault of the worker', 69, { resolution: exception('worker-shutdown') }],
  ['artifacts that could not be stored', 69, { resolution: exception('intermittent-task') }],
  ['cancelled', 75, { resolution: { kind: 'none' }, abort: { kind: 'canceled' } }],
  ['a claim that lapsed', 69, { resolution: { kind: 'none' }, abort: { kind: 'claim-lapsed' } }],
  ['its deadline, which the queue noticed', 75, { resolution: { kind: 'completed' }, own: 0, isTaken: true }],
])('%s is exit code %i', (_, code, { resolution, own, abort, isTaken }) => {
  expect(taskExitCode(outcomeOf(resolution, own), abort, isTaken)).toBe(code);
});
