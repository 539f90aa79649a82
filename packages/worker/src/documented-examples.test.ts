import { globSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { readTaskFile } from './cli/task-file.ts';
import { ConfigFile } from './config-file/worker-config.ts';
import { payloadSchemaFor } from './features/payload-schema.ts';

const root = join(import.meta.dirname, '../../..');

/** Tasks on pages that are no file of `examples`, by a line of theirs, and why not. */
const notExecuted = {
  'kvm: true': 'not every host of these tests has /dev/kvm',
};

interface Block {
  page: string;
  line: number;
  text: string;
  /** File of `examples` that it shows; a stale one is found by `npm run check:docs`. */
  example: string | undefined;
}

const blocks = ['README.md', 'docs/*.md', 'docs/features/*.md', 'packages/*/README.md']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  // What it shows is valid where there is the proxy that it adds; a test of the package e2e makes that and runs it.
  .filter((page) => page !== 'docs/adding-a-proxy.md')
  .flatMap(yamlBlocks);
const tasks = blocks.filter(({ text }) => /^(image|payload):/m.test(text));
const configurations = blocks.filter((block) => !tasks.includes(block) && !isForCompose(block));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documented-examples-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('there is something to check', () => {
  expect(tasks.length).toBeGreaterThan(8);
  expect(configurations.length).toBeGreaterThan(4);
});

test.each(tasks)('the task in line $line of $page is a valid one', async ({ text }) => {
  const file = join(folder, 'task.yml');
  await writeFile(file, text);

  await expect(readTaskFile(file, payloadSchemaFor())).resolves.toHaveLength(1);
});

test.each(tasks)('the task in line $line of $page is an example, which is executed', ({ text, example }) => {
  const reason = Object.entries(notExecuted).find(([mark]) => text.includes(mark))?.[1];

  expect(example ?? reason).toBeDefined();
});

test.each(configurations)('the configuration in line $line of $page is a valid one', ({ text }) => {
  for (const document of parseAllDocuments(text)) {
    expect(document.errors).toEqual([]);
    expect(ConfigFile.safeParse(document.toJS()).error?.issues ?? []).toEqual([]);
  }
});

test.each(readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yml')))(
  'the example %s is valid, and has a test that executes it',
  async (name) => {
    // Executed in the package of the tests that need an engine.
    const executed = readFileSync(join(root, 'packages/e2e/src/examples.test.ts'), 'utf8');

    expect((await readTaskFile(join(root, 'examples', name), payloadSchemaFor())).length).toBeGreaterThan(0);
    expect(executed).toMatch(new RegExp(`'${name}'|exampleWithStandIns\\('${name.replace('.yml', '')}'\\)`));
  },
);

function yamlBlocks(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/(?:<!-- example: (\S+) -->\s*)?```yaml\n([\s\S]*?)```/g)].map(
    ({ 1: example, 2: block = '', index }) => ({
      page,
      line: text.slice(0, index).split('\n').length,
      text: block,
      example,
    }),
  );
}

function isForCompose({ text }: Block): boolean {
  return /^services:/m.test(text);
}
