import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Command } from './harness/command.ts';
import { startDeployment } from './harness/deployment.ts';
import { makeTempDir } from './harness/temp-dir.ts';
import { ThrowawayEngine } from './harness/throwaway-engine.ts';

test('a killed engine ends its runs as internal-error at once, and its return brings new claims', async () => {
  await using engine = await ThrowawayEngine.start('docker-worker/example-task');
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const config = join(folder.path, 'config.json');
  await writeFile(
    config,
    JSON.stringify({
      rootUrl: deployment.local.rootUrl,
      taskcluster: deployment.local.credentials,
      provisionerId: 'test',
      workerType: 'e2e',
      workerGroup: 'test-group',
      workerId: 'test-engine-lost',
      warm: { units: 0 },
      capacityManagement: { diskspaceThreshold: 0 },
    }),
  );
  await using worker = new Command(['start', '--config', config], { env: { DOCKER_HOST: engine.host } });
  const taskId = await deployment.createTask({ command: ['sleep', '600'] });
  await worker.printed(/"type":"task started"/);

  const killed = Date.now();
  await engine.kill();
  await worker.printed(/"resolution":"exception\/internal-error"/);
  expect(Date.now() - killed).toBeLessThan(5_000);
  const { status } = await deployment.queue.status(taskId);
  expect(status.runs[0]).toMatchObject({ state: 'exception', reasonResolved: 'internal-error' });

  await engine.boot();
  const next = await deployment.createTask({ command: ['true'] });
  await worker.printed(new RegExp(`"taskId":"${next}".*"resolution":"completed"`));
  expect(await engine.docker('ps', '--all', '--quiet')).toBe('');
});
