import { expect, test } from '@jest/globals';
import { ownerOfTag, ownerTag } from './owner-tag.ts';
import { ownProcess } from './process-identity.ts';

const owner = { worker: 'proj/linux/group/w1', taskRun: '-_23456789012345678_-w/7' };

test('a tag tells the process and the worker that it belongs to', () => {
  const parsed = ownerOfTag(ownerTag(owner));

  expect(parsed?.process).toBe(ownProcess);
  expect(parsed?.isOf(owner.worker)).toBe(true);
  expect(parsed?.isOf('proj/linux/group/w2')).toBe(false);
});

test('a tag is one that Docker accepts', () => {
  expect(ownerTag(owner)).toMatch(/^[\w][\w.-]{0,127}$/);
});

test.each(['latest', '', '12', 'a.b.c.d.e.f'])('the tag %j is no worker’s', (tag) => {
  expect(ownerOfTag(tag)).toBeUndefined();
});
