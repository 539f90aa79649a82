import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readContext } from './template-context.ts';

test('values are texts, files are mappings, and the later ones count', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'context-'));
  try {
    const file = join(folder, 'context.yml');
    await writeFile(file, 'branch: main\nevent: {number: 3}\n');

    expect(readContext([file, 'branch=1.10', 'rest=a=b'])).toEqual({
      branch: '1.10',
      event: { number: 3 },
      rest: 'a=b',
    });
    await writeFile(file, '- a\n');
    expect(() => readContext([file])).toThrow(`--context ${file}: the file must hold a mapping`);
    await writeFile(file, '{');
    expect(() => readContext([file])).toThrow(/^--context .*; give NAME=VALUE, or a YAML or JSON file$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a file that is not there is told as such', () => {
  expect(() => readContext(['nowhere.yml'])).toThrow(
    '--context nowhere.yml: cannot be read (ENOENT); give NAME=VALUE, or a YAML or JSON file',
  );
});

test('without any there is no context', () => {
  expect(readContext([])).toBeUndefined();
});
