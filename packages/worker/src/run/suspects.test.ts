import { mkdtempDisposable, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Suspects } from './suspects.ts';

const [one, two] = ['fN1SbArXTPSVFNUvaOlinQ', 'bQ1SbArXTPSVFNUvaOlinQ'];

test('the task whose error it was is refused from then on, and none that ran beside it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'suspects-'));
  new Suspects(folder.path).accuse([one, two], one);

  expect(new Suspects(folder.path).has(one)).toBe(true);
  expect(new Suspects(folder.path).has(two)).toBe(false);
});

test('where nobody knows whose the error was, a task is refused that was there twice', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'suspects-'));
  const suspects = new Suspects(folder.path);

  suspects.accuse([one, two]);
  expect([suspects.has(one), suspects.has(two)]).toEqual([false, false]);

  suspects.accuse([two]);
  expect([suspects.has(one), suspects.has(two)]).toEqual([false, true]);
});

test('what cannot be read accuses nobody, and what is old is forgotten', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'suspects-'));
  const suspects = new Suspects(folder.path);
  expect(suspects.has(one)).toBe(false);
  await suspects.sweep();
  suspects.accuse([one], one);
  suspects.accuse([two], two);
  await writeFile(join(folder.path, 'suspects', two), 'half a rec');
  await utimes(join(folder.path, 'suspects', one), 0, 0);

  await suspects.sweep();

  expect([suspects.has(one), suspects.has(two)]).toEqual([false, false]);
});
