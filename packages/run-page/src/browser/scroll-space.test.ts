import { expect, test } from '@jest/globals';
import { lineHeight, ScrollSpace } from './scroll-space.ts';

function spaceOf(lines: number, visible = 30): ScrollSpace {
  const space = new ScrollSpace();
  space.resize(lines, visible);
  return space;
}

test('in a log that fits a pixel is a pixel', () => {
  const space = spaceOf(1000);

  expect(space.height).toBe(1000 * lineHeight);
  space.scrolled(400);
  expect(space.top).toBe(20);
  expect(space.goTo(500)).toBe(500 * lineHeight);
  expect(space.goTo(5000)).toBe(970 * lineHeight);
  expect(space.goTo(-5)).toBe(0);
});

test('a log of millions of lines has a height that browsers take, and all of its lines can be reached', () => {
  const lines = 50_000_000;
  const space = spaceOf(lines);
  const end = space.height - 30 * lineHeight;

  expect(space.height).toBeLessThanOrEqual(8_000_000);
  space.scrolled(end);
  expect(space.top).toBe(lines - 30);
  space.scrolled(0);
  expect(space.top).toBe(0);
  for (const line of [1, 12_345_678, lines - 1_000_000]) {
    const at = space.goTo(line);
    expect(space.top).toBe(line);
    // A turn of the wheel moves by lines, not by thousands of them.
    space.scrolled(at + 3 * lineHeight);
    expect(space.top).toBeCloseTo(line + 3, 3);
  }
  space.scrolled(end / 2);
  expect(space.top / lines).toBeCloseTo(0.5, 3);
});

test('a log that grows keeps its top', () => {
  const space = spaceOf(100);
  space.goTo(40);
  space.resize(1_000_000, 30);

  expect(space.top).toBe(40);
});
