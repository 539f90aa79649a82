import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { savedImageNames } from './image-names.ts';

/** Of a repository's name, without tag. */
const valid = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

test('a task id becomes a name as documented and one as docker-worker gave it', () => {
  expect(savedImageNames('fN1SbArXTPSVFNUvaOlinQ', 0)).toEqual([
    'task-fn1sbarxtpsvfnuvaolinq-0:latest',
    'fn1sbarxtpsvfnuvaolinq-0:latest',
  ]);
  expect(savedImageNames('A_b-_-C_', 12)).toEqual(['task-a-b---c--12:latest', 'a0b000c0-12:latest']);
});

test('whatever the task id, both are names that Docker accepts', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{22}$/), fc.nat(), (taskId, runId) => {
      for (const name of savedImageNames(taskId, runId)) {
        expect(name.replace(/:latest$/, '')).toMatch(valid);
      }
    }),
  );
});
