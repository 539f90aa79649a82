import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { testConfig } from './config-file/testing/worker-config.ts';
import { bytesPerTask, DiskRoom } from './disk-room.ts';
import { HostParts, type PartHost } from './run/host-part.ts';

const { bavail, bsize } = await statfs(tmpdir());
const free = bavail * bsize;

/** A worker whose disk is that of temporary files, with something to remove from it. */
function worker(diskspaceThreshold: number) {
  const asked: boolean[] = [];
  const lines: { room?: number; free?: number; message?: string }[] = [];
  const logger = pino(
    { messageKey: 'type' },
    { write: (line: string) => void lines.push(JSON.parse(line) as object) },
  );
  const config = testConfig({ capacityManagement: { diskspaceThreshold }, dockerVolume: tmpdir() });
  const host = { config, engine: {}, logger } as unknown as PartHost;
  const remover = {
    open: () => ({ freeUp: async (enough: () => Promise<boolean>) => void asked.push(await enough()) }),
  };
  const parts = new HostParts(host, [remover]);
  return { asked, lines, room: new DiskRoom({ ...host, parts }) };
}

test('as many tasks are claimed as there is room for, and nothing is removed for more', async () => {
  const { asked, lines, room } = worker(free / 2.5);

  expect(await room.roomFor(4)).toBe(2);
  expect(await room.roomFor(1)).toBe(1);
  expect(asked).toEqual([]);
  expect(lines).toMatchObject([
    { type: 'fewer tasks are claimed for lack of disk', tasks: 4, room: 2, perTask: free / 2.5 },
  ]);
});

test('without room for one task, what nobody uses is removed; what is free, wanted and set where is said once', async () => {
  const { asked, lines, room } = worker(free * 2);

  expect([await room.roomFor(4), await room.roomFor(4)]).toEqual([0, 0]);
  expect(asked).toEqual([false, false]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    type: '[alert-operator] diskspace threshold reached',
    ...{ perTask: free * 2, free: expect.any(Number) },
    message: expect.stringContaining('capacityManagement.diskspaceThreshold'),
  });
});

test('a task needs less on a small disk, unless it is said how much', () => {
  expect(bytesPerTask(testConfig(), { size: 100e9 })).toBe(5e9);
  expect(bytesPerTask(testConfig(), { size: 2e12 })).toBe(30e9);
  expect(bytesPerTask(testConfig({ capacityManagement: { diskspaceThreshold: 1 } }), { size: 100e9 })).toBe(
    1,
  );
});
