import { expect, test } from '@jest/globals';
import { scopeHeader } from './scope-header.ts';

test('scopes are a JSON array', () => {
  expect(scopeHeader(['a:b', 'c:"d"'])).toBe('["a:b","c:\\"d\\""]');
  expect(scopeHeader([])).toBe('[]');
});

test('a list beyond 4 KiB keeps its first scopes and says how many are left out', () => {
  const scopes = Array.from({ length: 500 }, (_, index) => `scope:${index}:${'x'.repeat(40)}`);

  const header = scopeHeader(scopes);

  const shown: string[] = JSON.parse(header);
  expect(header.length).toBeLessThanOrEqual(4_096);
  expect(shown.slice(0, -1)).toEqual(scopes.slice(0, shown.length - 1));
  expect(shown.at(-1)).toBe(`... and ${500 - (shown.length - 1)} more scopes`);
});

test('characters that no header can carry are escaped', () => {
  const header = scopeHeader(['sc\u00f6pe\n\u{1f600}']);

  expect(header).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(header)).toEqual(['sc\u00f6pe\n\u{1f600}']);
});
