import { expect, test } from '@jest/globals';
import { featureNames } from '../payload/feature-names.ts';
import { features } from './index.ts';

test('no two features have the same name', () => {
  const names = features.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
});

const flags = features.filter(({ askedBy }) => askedBy === undefined);

test.each(flags.map(({ name }) => name))('payloads may name %s', (name) => {
  expect(featureNames).toContain(name);
});

test('no two sidecars answer under the same name', () => {
  const aliases = features.flatMap(({ sidecars }) => sidecars ?? []).map(({ alias }) => alias);

  expect(new Set(aliases).size).toBe(aliases.length);
});
