import { expect, test } from '@jest/globals';
import { outcomeOf } from './outcome.ts';
import type { Resolution } from './resolution.ts';

test.each<[Resolution, number | undefined, number]>([
  [{ kind: 'completed' }, 0, 0],
  [{ kind: 'completed' }, undefined, 0],
  [{ kind: 'failed' }, 0, -1],
  [{ kind: 'failed' }, 3, 3],
  [{ kind: 'exception', reason: 'intermittent-task' }, 75, 75],
  [{ kind: 'none' }, 0, -1],
])('a run that is %j with exit code %j ends with %j', (resolution, exitCode, expected) => {
  expect(outcomeOf(resolution, exitCode)).toEqual({ resolution, exitCode: expected });
});
