import { expect, test } from '@jest/globals';
import { ownershipLabels } from './labels.ts';
import { ownProcess } from './process-identity.ts';

test('what is made on the host says whose it is', () => {
  expect(ownershipLabels({ worker: 'proj/linux/group/w1', taskRun: 'abc/0' }, 'sidecar:tc-proxy')).toEqual({
    'docker-worker.worker': 'proj/linux/group/w1',
    'docker-worker.process': ownProcess,
    'docker-worker.task-run': 'abc/0',
    'docker-worker.role': 'sidecar:tc-proxy',
  });
});
