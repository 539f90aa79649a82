import { expect, test } from '@jest/globals';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { MetricsLines } from './metrics-lines.ts';

test('an event is a line of its own with what dashboards of costs expect', () => {
  let written = 'a line that was not ended';
  const config = testConfig({ region: 'eu-central-1', instanceType: 'm7i.large' });

  new MetricsLines(config, (text) => {
    written += text;
  }).tell('taskQueue', { at: new Date('2026-01-02T03:04:05.678Z'), taskId: 'abc', runId: 1 });

  const [, line = '', after] = written.split('\n');
  expect(after).toBe('');
  expect(line.startsWith('WORKER_METRICS {')).toBe(true);
  expect(JSON.parse(line.slice('WORKER_METRICS '.length))).toEqual({
    eventType: 'taskQueue',
    worker: 'docker-worker',
    workerPoolId: 'prov/type',
    workerId: 'i-1',
    timestamp: 1767323045,
    region: 'eu-central-1',
    instanceType: 'm7i.large',
    taskId: 'abc',
    runId: 1,
  });
});
