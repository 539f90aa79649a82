import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { notExercised, startForTest } from '../testing/start.ts';
import { createRunningTask, inMs } from '../testing/task.ts';

const expires = inMs(3600_000);

function entry(overrides: object = {}) {
  return { taskId: taskcluster.slugid(), rank: 1, data: { of: 'test' }, expires, ...overrides };
}

test('an indexed task is found by its name, alone or among others, until it is deleted', async () => {
  await using local = await startForTest();
  const { index } = local;
  await index.ping();
  const inserted = await index.insertTask('a.b.one', entry());

  expect(await index.findTask('a.b.one')).toEqual(inserted);
  expect(await index.findTasksAtIndex({ indexes: ['a.b.one', 'a.b.none'] })).toEqual({ tasks: [inserted] });
  expect(await index.listTasks('a.b')).toEqual({ tasks: [inserted] });
  expect(await index.listTasks('a')).toEqual({ tasks: [] });
  await index.deleteTask('a.b.one');
  await expect(index.findTask('a.b.one')).rejects.toMatchObject({ statusCode: 404 });
});

test('namespaces are what has more below it', async () => {
  await using local = await startForTest();
  for (const name of ['a.b.one', 'a.b.two', 'a.c.d.one', 'a.leaf'])
    await local.index.insertTask(name, entry());

  const { namespaces } = await local.index.listNamespaces('a');
  const root = await local.index.listNamespaces('');

  expect(namespaces).toEqual([
    { namespace: 'a.b', name: 'b', expires },
    { namespace: 'a.c', name: 'c', expires },
  ]);
  expect(root.namespaces).toEqual([{ namespace: 'a', name: 'a', expires }]);
});

test('a higher rank wins', async () => {
  await using local = await startForTest();
  const high = await local.index.insertTask('a.one', entry({ rank: 5 }));

  expect(await local.index.insertTask('a.one', entry({ rank: 4 }))).toEqual(high);
  expect(await local.index.insertTask('a.one', entry({ rank: 5 }))).not.toEqual(high);
});

test('a completed task goes into the index by its routes, and leads to its artifacts', async () => {
  await using local = await startForTest();
  const extra = { index: { rank: 7, data: { kind: 'build' } } };
  const { taskId, run } = await createRunningTask(local, { routes: ['index.project.build', 'other'], extra });
  const url = `${local.rootUrl}/api/queue/v1/ping`;
  const reference = { storageType: 'reference', contentType: 'application/json', expires, url };
  await run.createArtifact(taskId, 0, 'public/ping', reference);
  const { index } = local;
  await expect(index.findTask('project.build')).rejects.toMatchObject({ statusCode: 404 });

  await run.reportCompleted(taskId, 0);

  const { expires: _expires, ...found } = await index.findTask('project.build');
  const artifact = await fetch(index.buildUrl(index.findArtifactFromTask, 'project.build', 'public/ping'));
  expect(found).toEqual({ namespace: 'project.build', taskId, rank: 7, data: { kind: 'build' } });
  expect(await artifact.json()).toMatchObject({ alive: true });
});

test('every endpoint of the index works', async () => {
  await using local = await startForTest();
  const { index } = local;
  const { taskId, run } = await createRunningTask(local);
  const url = 'https://example.com/';
  await run.createArtifact(taskId, 0, 'public/a', {
    storageType: 'reference',
    contentType: '',
    expires,
    url,
  });
  await index.ping();
  await index.insertTask('a.one', entry({ taskId }));
  await index.findTask('a.one');
  await index.findTasksAtIndex({ indexes: [] });
  await index.listNamespaces('a');
  await index.listTasks('a');
  await fetch(index.buildUrl(index.findArtifactFromTask, 'a.one', 'public/a'), { redirect: 'manual' });
  await index.deleteTask('a.one');

  expect(notExercised(local, 'index')).toEqual([]);
});
