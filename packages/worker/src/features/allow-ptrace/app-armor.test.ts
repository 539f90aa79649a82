import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ownerTag } from '../../ownership/owner-tag.ts';
import { profileName, sweepProfiles } from './app-armor.ts';

const owner = { worker: 'proj/linux/group/w1', taskRun: 'fN1SbArXTPSVFNUvaOlinQ/0' };
const ours = profileName(ownerTag(owner));
/** Of a process of this boot and namespace that has ended: no process has started at tick 1. */
const dead = ours.replace(/\.\d+\.\d+\.(?=fN1)/, '.999999.1.');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'securityfs-'));
  await writeFile(join(folder, '.remove'), '');
});
afterEach(() => rm(folder, { recursive: true }));

test('the profile of a worker that no longer runs is unloaded, and that of one that runs is not', async () => {
  await loaded('docker-default', ours, dead);

  expect(await sweepProfiles(owner.worker, false, folder)).toBe(1);
  expect(await removed()).toBe(dead);
});

test('a worker leaves the profiles of another one alone', async () => {
  await loaded(dead);

  expect(await sweepProfiles('proj/linux/group/w2', false, folder)).toBe(0);
  expect(await removed()).toBe('');
});

test('after an engine was lost, what this process loaded goes as well', async () => {
  await loaded(ours);

  expect(await sweepProfiles(owner.worker, true, folder)).toBe(1);
  expect(await removed()).toBe(ours);
});

test('a host without AppArmor has nothing to sweep', async () => {
  expect(await sweepProfiles(owner.worker, false, join(folder, 'none'))).toBe(0);
});

/** As the kernel lists them. */
async function loaded(...names: string[]): Promise<void> {
  await writeFile(join(folder, 'profiles'), names.map((name) => `${name} (enforce)\n`).join(''));
}

function removed(): Promise<string> {
  return readFile(join(folder, '.remove'), 'utf8');
}
