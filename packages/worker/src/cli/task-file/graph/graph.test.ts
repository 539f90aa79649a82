import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { payloadSchemaFor } from '../../../features/payload-schema.ts';
import { readTaskFile } from '../read-task-file.ts';
import { rootUrlStandIn } from '../root-url.ts';
import { listText } from './list-text.ts';

const slugid = expect.stringMatching(/^[\w-]{22}$/);
const payload = { image: 'busybox', maxRunTime: 60 };
const ids = {
  image: 'fN4hV0r2Q1CnR9kIwSxVMA',
  build: 'CD9UwwleQDGFGnNpSlUPPA',
  away: 'cunpSPgxSP6QB5skwS3Lsw',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graph-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function read(content: object | string, targets: string[] = []) {
  const path = join(folder, 'graph.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  return await readTaskFile(path, payloadSchemaFor(), { targets });
}

async function refusal(content: object, targets?: string[]): Promise<string> {
  const { message } = await read(content, targets).catch((error) => error);
  return message.replace(`${folder}/`, '');
}

/** As taskgraph writes it before anything has an id. */
const full = {
  'test-linux/opt': {
    ...{ kind: 'test', label: 'test-linux/opt', attributes: {}, optimization: null, soft_dependencies: [] },
    dependencies: { build: 'build-linux/opt', 'docker-image': 'docker-image-base' },
    task: {
      created: { 'relative-datestamp': '0 seconds' },
      deadline: { 'relative-datestamp': '1 day' },
      extra: { treeherder: { symbol: 'T' } },
      payload: {
        ...payload,
        image: {
          type: 'task-image',
          path: 'public/image.tar',
          taskId: { 'task-reference': '<docker-image>' },
        },
        env: {
          FETCHES: { 'artifact-reference': '<build/public/target.tar.gz>' },
          IDS: { 'task-reference': '<self> <decision> <build>' },
        },
      },
    },
  },
  'build-linux/opt': { kind: 'build', label: 'build-linux/opt', dependencies: {}, task: { payload } },
  'build-windows/opt': { kind: 'build', dependencies: {}, task: { payload: { mounts: [], command: ['x'] } } },
  'docker-image-base': { kind: 'docker-image', dependencies: {}, task: { payload } },
};

describe('a graph of taskgraph', () => {
  test('is run by label, its references resolved, each task after what it needs', async () => {
    const { tasks, notices } = await read(full, ['test-*']);
    const [build, image, tests] = tasks;

    expect(tasks.map(({ name }) => name)).toEqual(['build-linux/opt', 'docker-image-base', 'test-linux/opt']);
    expect(notices).toEqual([]);
    expect(tests).toMatchObject({
      kind: 'test',
      taskId: slugid,
      dependencies: [build?.taskId, image?.taskId],
      task: { extra: { treeherder: { symbol: 'T' } }, deadline: expect.stringMatching(/^\d{4}-.*Z$/) },
      payload: {
        image: { taskId: image?.taskId },
        env: {
          FETCHES: `${rootUrlStandIn}/api/queue/v1/task/${build?.taskId}/artifacts/public/target.tar.gz`,
          IDS: `${tests?.taskId} ${tests?.task.taskGroupId} ${build?.taskId}`,
        },
      },
    });
    expect(new Set(tasks.map(({ task }) => task.taskGroupId)).size).toBe(1);
  });

  test('keeps the ids that it has, and names what is not in it', async () => {
    const { tasks, notices } = await read({
      [ids.build]: {
        ...{ kind: 'build', label: 'build', dependencies: { image: ids.image, cached: ids.away } },
        task: { dependencies: [ids.image, ids.away], payload },
      },
      [ids.image]: { kind: 'docker-image', label: 'image', task: { payload } },
    });

    expect(tasks).toMatchObject([
      { name: 'image', taskId: ids.image },
      {
        name: 'build',
        taskId: ids.build,
        dependencies: [ids.image],
        task: expect.not.objectContaining({ dependencies: [] }),
      },
    ]);
    expect(notices).toEqual([
      `build: runs without the tasks that it depends on, which are not here: ${ids.away}`,
    ]);
  });

  test('is printed with what each needs', async () => {
    expect(listText((await read(full, ['test-linux/opt'])).tasks)).toBe(
      [
        'build-linux/opt    build\n',
        'docker-image-base  docker-image\n',
        'test-linux/opt     test          needs build-linux/opt, docker-image-base\n',
      ].join(''),
    );
  });

  test('is refused only for the tasks that are chosen', async () => {
    expect(await refusal(full)).toMatch(
      /graph\.json:\d+:\d+: \["build-windows\/opt"\]\.task\.payload\.image: missing/,
    );
    expect(await refusal(full, ['build-lin'])).toMatch(/^--target build-lin: no task is called so; /);
    expect(await refusal(full, ['test-linux/op'])).toContain("did you mean 'test-linux/opt'?");
  });

  test('with references or dependencies to nothing, or in a circle, is refused with the place', async () => {
    const graph = (task: object, dependencies = {}) => ({ a: { dependencies, task: { payload, ...task } } });

    expect(await refusal(graph({ tags: { b: { 'task-reference': '<b>' } } }))).toMatch(
      /^graph\.json:\d+:\d+: a\.task\.tags\.b: refers to <b>, which is none of the task's dependencies/,
    );
    expect(await refusal(graph({}, { b: 'bb' }))).toMatch(
      /^graph\.json:4:\d+: a\.dependencies\.b: no task of this file is called 'bb'; give a taskId/,
    );
    expect(await refusal({ ...graph({}, { b: 'b' }), b: { dependencies: ['a'], task: { payload } } })).toBe(
      'tasks that wait for each other would never run: a needs b needs a',
    );
  });
});

describe('a list', () => {
  test('names its tasks by name, or by the id that is beside them', async () => {
    const { tasks } = await read([
      { metadata: { name: 'tests' }, dependencies: ['build', ids.image], payload },
      { metadata: { name: 'build' }, payload },
      { taskId: ids.image, task: { metadata: { name: 'image' }, payload } },
      payload,
    ]);

    expect(tasks.map(({ name }) => name)).toEqual(['build', 'image', 'tests', 'graph-4']);
    expect(tasks[1]?.taskId).toBe(ids.image);
    expect(tasks[2]?.dependencies).toEqual([tasks[0]?.taskId, ids.image]);
  });

  test('with an id twice, or with what is no task, is refused', async () => {
    const one = { taskId: ids.image, payload };

    expect(await refusal([one, one])).toContain(`[1]: its taskId ${ids.image} is that of another task, too`);
    expect(await refusal([one, 'two'])).toMatch(
      /^graph\.json:\d+:\d+: \[1\]: found the text 'two', expected a task/,
    );
  });
});

test('documents of one file name each other as well', async () => {
  const { tasks } = await read(
    'metadata: {name: one}\npayload: {image: a, maxRunTime: 1}\n---\ndependencies: [one]\npayload: {image: a, maxRunTime: 1}\n',
  );

  expect(tasks).toMatchObject([
    { name: 'one', dependencies: [] },
    { name: 'graph-2', dependencies: [tasks[0]?.taskId] },
  ]);
});
