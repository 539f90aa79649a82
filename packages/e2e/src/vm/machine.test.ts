import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeDiskImage } from '../../../../deploy/disk-image.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { MachineDeployment } from './machine-deployment.ts';
import { machineSuite, patienceMs } from './machine-suite.ts';

machineSuite('the disk image of a worker', () => {
  const resources = new AsyncDisposableStack();
  let deployment: MachineDeployment;

  beforeAll(async () => {
    const folder = resources.use(await makeTempDir()).path;
    const disk = join(folder, 'worker.raw');
    await makeDiskImage(disk, { images: ['docker-worker/example-task:latest'] });
    const { blocks } = await stat(disk);
    process.stderr.write(`the disk image takes ${Math.round((blocks * 512) / 2 ** 20)} MiB\n`);
    deployment = resources.use(await MachineDeployment.start({ folder, disk }));
  }, patienceMs);
  afterAll(() => resources.disposeAsync());

  test(
    'it boots, registers, and runs a task with a proxy and a profile of its own',
    async () => {
      const features = { taskclusterProxy: true, allowPtrace: true };
      const script = 'cat /proc/self/attr/current; curl -sf $TASKCLUSTER_PROXY_URL/api/queue/v1/ping';
      const taskId = await deployment.createTask({ features, command: ['bash', '-euc', script] }, [
        'docker-worker:feature:allowPtrace',
      ]);

      const { text, claimedAt } = await deployment.completed(taskId);

      const seconds = (claimedAt - deployment.startedAt) / 1000;
      process.stderr.write(`from the start of the machine to the claim: ${seconds} s\n`);
      expect(text).toMatch(/docker-worker\S* \(enforce\)/);
      expect(text).toContain('"alive":true');
    },
    patienceMs,
  );

  test(
    'the power button lets the running task finish, and then powers it off',
    async () => {
      const taskId = await deployment.createTask({ command: ['sleep', '20'] });
      await deployment.untilState(taskId, ['running']);

      await deployment.machine.pressPowerButton();

      expect(await deployment.machine.ended).toBe(0);
      const { status } = await deployment.queue.status(taskId);
      const [{ state, reasonResolved }] = status.runs;
      expect({ state, reasonResolved }).toEqual({ state: 'completed', reasonResolved: 'completed' });
    },
    patienceMs,
  );
});
