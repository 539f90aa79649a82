import { globSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { eventOfFile } from './cli/task-file/event/event-of-file.ts';
import { readTaskFile } from './cli/task-file/read-task-file.ts';
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

  expect((await readTaskFile(file, payloadSchemaFor())).tasks).toHaveLength(1);
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
    const executed = readFileSync(join(root, 'packages/e2e/src/run-task/examples.test.ts'), 'utf8');
    const file = join(root, 'examples', name);
    const events = name === '.taskcluster.yml' ? await eventOfFile(await storedPush(), 'push') : undefined;

    expect((await readTaskFile(file, payloadSchemaFor(), { events })).tasks.length).toBeGreaterThan(0);
    expect(executed).toMatch(new RegExp(`'${name}'|exampleWithStandIns\\('${name.replace('.yml', '')}'\\)`));
  },
);

async function storedPush(): Promise<string> {
  const file = join(folder, 'push.json');
  const repository = {
    name: 'p',
    clone_url: 'https://a/o/p.git',
    html_url: 'https://a/o/p',
    owner: { login: 'o' },
  };
  const push = { ref: 'refs/heads/main', before: 'a', after: 'b', head_commit: { modified: [] } };
  await writeFile(file, JSON.stringify({ ...push, repository, sender: { login: 'o' } }));
  return file;
}

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
