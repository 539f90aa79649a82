import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { featuresOf } from './index.ts';

const features = featuresOf();

test('no two features have the same name', () => {
  const names = features.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
});

test.each(
  features.filter(({ askedBy }) => askedBy === undefined).map(({ name, description }) => [name, description]),
)('the schema of payloads says what %s is for', (_, description) => {
  expect(description).toMatch(/\w/);
});

test('no two sidecars answer under the same name', () => {
  const aliases = features.flatMap(({ sidecars }) => sidecars ?? []).map(({ alias }) => alias);

  expect(new Set(aliases).size).toBe(aliases.length);
});

test('each folder with settings is on the list', async () => {
  const folders = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const files = folders.filter((path) => path.endsWith('/settings.ts'));
  const { WorkerConfig } = await import('../config-file/worker-config.ts');

  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const { settings } = (await import(`./${file}`)) as { settings: object };
    expect(WorkerConfig.shape).toMatchObject(settings);
  }
});
