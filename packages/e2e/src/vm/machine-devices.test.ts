import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeDiskImage } from '../../../../deploy/disk-image.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { MachineDeployment } from './machine-deployment.ts';
import { machineSuite, patienceMs } from './machine-suite.ts';

machineSuite('a machine with loopback devices and an ephemeral disk', () => {
  const resources = new AsyncDisposableStack();
  let deployment: MachineDeployment;
  let text: string;

  beforeAll(async () => {
    const folder = resources.use(await makeTempDir()).path;
    const [disk, ephemeral] = [join(folder, 'worker.raw'), join(folder, 'ephemeral.raw')];
    await makeDiskImage(disk, { images: ['docker-worker/example-task:latest'], loopbackModules: true });
    await writeFile(ephemeral, '');
    await truncate(ephemeral, 4 * 1024 ** 3);
    deployment = resources.use(
      await MachineDeployment.start({
        ...{ folder, disk, moreDisks: [ephemeral] },
        settings: { EPHEMERAL_DISK: '/dev/vdc', LOOPBACK_VIDEO: '2', LOOPBACK_AUDIO: '1' },
        config: { capacity: 1 },
      }),
    );
    const taskId = await deployment.createTask(
      {
        capabilities: { devices: { loopbackVideo: true, loopbackAudio: true } },
        cache: { 'e2e-cache': '/cache' },
        command: ['bash', '-euc', 'ls -l /dev/video* /dev/snd; cat /proc/mounts'],
      },
      [
        'docker-worker:capability:device:loopbackVideo',
        'docker-worker:capability:device:loopbackAudio',
        'docker-worker:cache:e2e-cache',
      ],
    );
    ({ text } = await deployment.completed(taskId));
  }, 2 * patienceMs);
  afterAll(() => resources.disposeAsync());

  test('a task gets one of the two video devices', () => {
    expect(text.match(/^c.* 81, .* \/dev\/video\d/gm)).toHaveLength(1);
  });

  test('a task gets the card of the loopback audio device', () => {
    expect(text).toMatch(/^c.* 116, .* controlC0/m);
    for (const name of ['pcmC0D0p', 'pcmC0D0c', 'pcmC0D1p', 'pcmC0D1c']) expect(text).toContain(name);
  });

  test('what the engine keeps of containers is on the ephemeral disk', () => {
    expect(text).toMatch(/^\/dev\/vdc \/etc\/hosts ext4 /m);
  });

  test('caches are on the ephemeral disk', () => {
    expect(text).toMatch(/^\/dev\/vdc \/cache ext4 /m);
  });
});
