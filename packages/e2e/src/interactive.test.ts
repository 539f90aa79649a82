import { expect, test } from '@jest/globals';
import { startDeployment } from './harness/deployment.ts';
import { startTestWorker } from './harness/test-worker.ts';

test('x', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, {interactive: {minTime: 3, address: '127.0.0.1', host: '127.0.0.1'}});
  const taskId = await deployment.createTask({ features: { interactive: true }, command: ['bash', '-c', 'echo hello; exit 3'] });
  console.log(await worker.outcome(taskId));
  console.log(await deployment.taskLog(taskId));
  console.log(worker.log());
});
