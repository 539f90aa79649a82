import { expect, test } from '@jest/globals';
import { containerName } from './container-name.ts';

test('a container is called by its task and what it is for', () => {
  const owner = { worker: 'a/b/c/d', taskRun: 'fN4hV0r2Q1CnR9kIwSxVMA/0' };

  expect(containerName(owner, 'task', 'test linux64/opt')).toMatch(
    /^test-linux64-opt\.task\.fN4hV0r2Q1CnR9kIwSxVMA-0\.[0-9a-f]{6}$/,
  );
  expect(containerName({ ...owner, taskRun: 'warm' }, 'sidecar:tc-proxy')).toMatch(
    /^docker-worker\.sidecar-tc-proxy\.warm\.[0-9a-f]{6}$/,
  );
});

test.each(['', '…', '-x', 'a'.repeat(300)])('%j is made a name that an engine takes', (task) => {
  expect(containerName({ worker: '', taskRun: '-_-/0' }, 'task', task)).toMatch(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/,
  );
});
