import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { startForTest, type TestTaskcluster } from '../testing/start.ts';
import { createRunningTask, createTask, inMs } from '../testing/task.ts';

const expires = inMs(3600_000);
const own = { 'sec-fetch-site': 'same-origin' };

async function upload(run: TestTaskcluster['queue'], taskId: string, name: string, text: string) {
  const contentType = 'text/plain; charset=utf-8';
  const { putUrl } = await run.createArtifact(taskId, 0, name, { storageType: 's3', contentType, expires });
  const headers = { 'content-type': contentType, 'content-encoding': 'gzip' };
  await fetch(putUrl, { method: 'PUT', body: gzipSync(text), headers });
}

async function textOf(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

test('a run is shown with what its worker has left, until it is the next one', async () => {
  await using local = await startForTest();
  await using page = await local.servePages();
  const { taskId, run } = await createRunningTask(local);
  expect(await textOf(`${page.url}tasks/${taskId}/0`)).toContain('There is none.');

  await upload(run, taskId, 'public/logs/live_backing.log', 'one\ntwo\n');
  const link = {
    storageType: 'link',
    artifact: 'public/logs/live_backing.log',
    contentType: 'text/plain',
    expires,
  };
  await run.createArtifact(taskId, 0, 'public/logs/live.log', link);
  await upload(run, taskId, 'private/notes', 'not public');
  await run.createArtifact(taskId, 0, 'public/elsewhere', {
    ...{ storageType: 'reference', url: 'https://elsewhere.example/x', contentType: 'text/plain', expires },
  });
  await run.createArtifact(taskId, 0, 'public/missing', {
    ...{ storageType: 'error', reason: 'file-missing-on-worker', message: 'it is not there', expires },
  });
  await run.reportFailed(taskId, 0);

  const html = await textOf(`${page.url}tasks/${taskId}`);
  expect(html).toContain('The last lines of the log tell');
  expect(html).toContain('href="https://elsewhere.example/x"');
  expect(html).toContain('public/missing: it is not there');
  expect(html).toContain('Run again');
  expect(await textOf(`${page.url}tasks/${taskId}/0/log`)).toBe('one\ntwo\n');
  expect(await (await fetch(`${page.url}tasks/${taskId}/0/log/lines?from=1&count=9`)).json()).toEqual({
    from: 1,
    lines: ['two'],
  });
  expect(await textOf(`${page.url}tasks/${taskId}/0/artifact?name=private/notes`)).toBe('not public');
});

test('what a worker in this process knows of its runs is shown with what the queue knows', async () => {
  await using local = await startForTest();
  const listeners = new Set<() => void>();
  const details = {
    phases: [{ name: 'image' as const, from: inMs(-5000), until: inMs(-1000), note: '30.0 MiB' }],
    log: undefined,
    shell: 'http://127.0.0.1:1/shell/',
  };
  await using page = await local.servePages({
    runs: {
      details: async () => details,
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
  });
  const { taskId } = await createRunningTask(local);

  const html = await textOf(`${page.url}tasks/${taskId}/0`);

  expect(html).toContain('30.0 MiB');
  expect(html).toContain('href="http://127.0.0.1:1/shell/"');
});

test('a group shows its tasks, which can be cancelled and run again from its page', async () => {
  await using local = await startForTest();
  await using page = await local.servePages();
  const first = await createTask(local);
  const second = await createTask(local, { taskGroupId: first, dependencies: [first] });
  const group = `${page.url}groups/${first}`;
  expect(await textOf(page.url)).toContain(`/groups/${first}"`);
  expect((await textOf(group)).match(/unscheduled|pending/g)).not.toBeNull();

  const cancelled = await fetch(`${page.url}tasks/${first}/cancel`, {
    method: 'POST',
    headers: own,
    redirect: 'manual',
  });
  expect(cancelled.status).toBe(303);
  expect(await local.queue.status(first)).toMatchObject({ status: { state: 'exception' } });
  const again = await fetch(`${page.url}tasks/${first}/rerun`, {
    method: 'POST',
    headers: own,
    redirect: 'manual',
  });
  expect(again.status).toBe(303);
  expect(await local.queue.status(first)).toMatchObject({
    status: { state: 'pending', runs: { length: 2 } },
  });
  expect(await textOf(`${page.url}tasks/${second}/none`)).toContain('unscheduled');
  const unknown = await fetch(`${page.url}tasks/${'A'.repeat(22)}/cancel`, { method: 'POST', headers: own });
  expect(unknown.status).toBe(404);
});

test('who follows a page is told as soon as something changes, and not before', async () => {
  await using local = await startForTest();
  await using page = await local.servePages();
  const { taskId, run } = await createRunningTask(local);
  const events = await fetch(`${page.url}tasks/${taskId}/0/events`);
  const reader = (events.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  const until = async (wanted: string) => {
    while (!text.includes(wanted)) {
      text += Buffer.from((await reader.read()).value ?? []).toString();
    }
  };
  await until('"Scopes"');

  await upload(run, taskId, 'public/made', 'x');
  await until('public/made');
  await run.reportCompleted(taskId, 0);
  await until('Run again');
  await reader.cancel();
});

test('nothing is left in the temporary folder', async () => {
  const leftovers = async () =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('local-taskcluster-logs-'));
  const before = await leftovers();
  {
    await using local = await startForTest();
    await using page = await local.servePages();
    const { taskId, run } = await createRunningTask(local);
    await upload(run, taskId, 'public/logs/live.log', 'text');
    expect(await textOf(`${page.url}tasks/${taskId}/0/log`)).toBe('text');
  }

  expect(await leftovers()).toEqual(before);
});
