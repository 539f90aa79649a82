import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { payloadSchemaFor } from '../../features/payload-schema.ts';
import { readTaskFile } from './read-task-file.ts';
import { TaskFileError } from './task-document.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'task-file-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function readText(content: string, name = 'task.yml') {
  const path = join(folder, name);
  await writeFile(path, content);
  const { tasks } = await readTaskFile(path, payloadSchemaFor());
  // Ids are made for each reading.
  return tasks.map(({ taskId: _, dependencies: __, ...task }) => task);
}

/** The error's lines, each starting behind the folder. */
async function errorLines(content: string): Promise<string[]> {
  const error = await readText(content).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(TaskFileError);
  return (error as Error).message.split('\n').map((line) => line.replace(`${folder}/`, ''));
}

describe('good files', () => {
  test('a payload alone is a task named after its file', async () => {
    const tasks = await readText('image: ubuntu\nmaxRunTime: 60\n', 'build.yml');

    expect(tasks).toEqual([{ name: 'build', payload: { image: 'ubuntu', maxRunTime: 60 }, task: {} }]);
  });

  test('a task definition keeps what it says beside its payload', async () => {
    const tasks = await readText(`
metadata: {name: my task}
scopes: [secrets:get:a]
expires: 2030-01-01T00:00:00Z
payload:
  image: ubuntu
  maxRunTime: 60
`);

    expect(tasks).toEqual([
      {
        name: 'my task',
        payload: { image: 'ubuntu', maxRunTime: 60 },
        task: {
          metadata: { name: 'my task' },
          scopes: ['secrets:get:a'],
          expires: '2030-01-01T00:00:00Z',
        },
      },
    ]);
  });

  test('JSON is read, also when it is indented with tabs', async () => {
    const tasks = await readText('{\n\t"image": "ubuntu",\n\t"maxRunTime": 60\n}\n', 'a.json');

    expect(tasks).toMatchObject([{ name: 'a', payload: { image: 'ubuntu' } }]);
  });

  test('several documents are several tasks', async () => {
    const tasks = await readText(
      'image: a\nmaxRunTime: 1\n---\npayload: {image: b, maxRunTime: 1}\nmetadata: {name: second}\n---\n',
    );

    expect(tasks.map(({ name }) => name)).toEqual(['task-1', 'second']);
  });

  test('parts of a document can be shared', async () => {
    const [task] = await readText('image: a\nmaxRunTime: 1\nenv: &env {A: b}\ncache: {<<: *env, C: d}\n');

    expect(task?.payload).toMatchObject({ env: { A: 'b' }, cache: { A: 'b', C: 'd' } });
  });
});

test('a template is rendered with its context, and its errors have their lines', async () => {
  const template = `image: ubuntu:\${version}\nmaxRunTime:\n  $eval: 60 * minutes\n`;
  const path = join(folder, 'template.yml');
  await writeFile(path, template);

  expect(
    await readTaskFile(path, payloadSchemaFor(), { context: { version: '24.04', minutes: 2 } }),
  ).toMatchObject({
    tasks: [{ payload: { image: 'ubuntu:24.04', maxRunTime: 120 } }],
  });
  await expect(readTaskFile(path, payloadSchemaFor(), { context: { version: '24.04' } })).rejects.toThrow(
    'template.yml:2:1: maxRunTime: not valid JSON-e: unknown context value minutes; give it by --context minutes=VALUE',
  );
  expect(await errorLines(template)).toEqual([
    expect.stringMatching(/^task\.yml:1:1: image: not valid JSON-e: unknown context value version/),
  ]);
});

test('"-" reads standard input', async () => {
  const module = JSON.stringify(new URL('./read-task-file.ts', import.meta.url).href);
  const schema = JSON.stringify(new URL('../../features/payload-schema.ts', import.meta.url).href);
  const script = `
    const { readTaskFile } = await import(${module});
    const { payloadSchemaFor } = await import(${schema});
    console.log(JSON.stringify((await readTaskFile('-', payloadSchemaFor())).tasks));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);

  child.stdin.end('image: ubuntu\nmaxRunTime: 60\n');

  expect(JSON.parse(await text(child.stdout))).toMatchObject([
    { name: 'task', payload: { image: 'ubuntu', maxRunTime: 60 }, task: {} },
  ]);
});

describe('bad files', () => {
  test.each<[string, string, unknown[]]>([
    ['empty', '', ['task.yml: empty; write a task definition, or a payload with image and maxRunTime']],
    [
      'comment',
      '# later\n',
      ['task.yml: empty; write a task definition, or a payload with image and maxRunTime'],
    ],
    ['not YAML', 'image: [a\nmaxRunTime: 1\n', [expect.stringMatching(/^task\.yml:2:1: not valid YAML: /)]],
    [
      'not JSON',
      '{"image": "a" "b": 1}',
      ["task.yml:1:15: not valid JSON: Expected ',' or '}' after property value"],
    ],
    [
      'key twice',
      'image: a\nmaxRunTime: 1\nimage: b\n',
      ['task.yml:3:1: not valid YAML: Map keys must be unique'],
    ],
    ['unknown anchor', 'image: *a\n', [expect.stringMatching(/^task\.yml:1:1: not valid YAML: /)]],
    ['unknown tag', 'image: !env image\nmaxRunTime: 1\n', [expect.stringMatching(/^task\.yml:1:8: .*!env/)]],
    [
      'text',
      'run the tests\n',
      [
        "task.yml:1:1: found the text 'run the tests', expected a task definition or a payload, which is a mapping",
      ],
    ],
    [
      'list in a list',
      '- [{image: a}]\n',
      ['task.yml:1:3: [0]: found a list, expected a task definition or a payload, which is a mapping'],
    ],
    ['list of nothing', '[]\n', ['task.yml: has no tasks']],
    [
      'another mapping',
      'jobs: {}\n',
      ['task.yml:1:1: neither a task definition with payload nor a payload with image'],
    ],
    [
      'misspelt',
      'paylaod: {}\n',
      [
        "task.yml:1:1: neither a task definition with payload nor a payload with image; did you mean 'payload' by 'paylaod'?",
      ],
    ],
    [
      'no image',
      'maxRunTime: 60\n',
      ['task.yml:1:1: image: missing; add it, for example image: ubuntu:24.04'],
    ],
    [
      'no image in a definition',
      'scopes: []\npayload:\n  maxRunTime: 60\n',
      ['task.yml:2:1: payload.image: missing; add it, for example image: ubuntu:24.04'],
    ],
    ['empty payload', 'payload:\n', ['task.yml:1:1: payload: found nothing, expected a mapping']],
    [
      'unknown key of the definition',
      'scope: []\npayload: {image: a, maxRunTime: 1}\n',
      ["task.yml:1:1: scope: unknown key; did you mean 'scopes'?"],
    ],
    [
      'wrong types in the definition',
      'scopes: secrets:get:a\npriority: urgent\nexpires: soon\nmetadata: {nam: x}\npayload: {image: a, maxRunTime: 1}\n',
      [
        "task.yml:2:1: priority: found the text 'urgent', expected one of highest, very-high, high, medium, low, very-low, lowest, normal",
        "task.yml:3:1: expires: found the text 'soon', expected a date with time and zone such as 2030-01-31T12:00:00Z",
        "task.yml:1:1: scopes: found the text 'secrets:get:a', expected a list; write ['secrets:get:a']",
        "task.yml:4:12: metadata.nam: unknown key; did you mean 'name'?",
      ],
    ],
    [
      'wrong types in the payload',
      'image: a\nmaxRunTime: 1h\nenv:\n  DEBUG: 1\ncommand:\n  - ls\n  - 1\n',
      [
        "task.yml:2:1: maxRunTime: found the text '1h', expected a whole number such as 3600",
        'task.yml:7:5: command[1]: found the number 1, expected a text; write it in quotes: "1"',
        'task.yml:4:3: env.DEBUG: found the number 1, expected a text; write it in quotes: "1"',
      ],
    ],
    [
      'relative artifact path',
      'image: a\nmaxRunTime: 1\nartifacts:\n  public/a.txt: {type: file, path: ./build/a.txt}\n',
      [
        `task.yml:4:30: artifacts["public/a.txt"].path: found the text './build/a.txt', expected a path from the container's root; write /build/a.txt, or where the task really puts it`,
      ],
    ],
    [
      'artifact that outlives its task',
      'expires: 2029-01-01T00:00:00Z\npayload:\n  image: a\n  maxRunTime: 1\n  artifacts:\n    a: {type: file, path: /a, expires: 2030-01-01T00:00:00Z}\n',
      [
        expect.stringMatching(
          /^task\.yml:6:31: payload\.artifacts\.a\.expires: .*must not be greater than task expiration/,
        ),
      ],
    ],
    [
      'unknown feature',
      'image: a\nmaxRunTime: 1\nfeatures:\n  taskclusterproxy: true\n',
      ["task.yml:4:3: features.taskclusterproxy: unknown feature; did you mean 'taskclusterProxy'?"],
    ],
    [
      'second document',
      'image: a\nmaxRunTime: 1\n---\nimage: b\n',
      ['task.yml:4:1: maxRunTime: missing; add it, for example maxRunTime: 3600'],
    ],
  ])('%s', async (_, content, lines) => {
    expect(await errorLines(content)).toEqual(lines);
  });

  test('a file that does not exist', async () => {
    const path = join(folder, 'nowhere.yml');

    await expect(readTaskFile(path, payloadSchemaFor())).rejects.toThrow(
      `${path}: no such file; give the path of a YAML or JSON file, or "-" to read standard input`,
    );
  });

  test('a folder', async () => {
    await expect(readTaskFile(folder, payloadSchemaFor())).rejects.toThrow(
      `${folder}: is a directory; give the path of a file in it`,
    );
  });
});
