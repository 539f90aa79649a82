import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { expect, test } from '@jest/globals';
import taskcluster from 'taskcluster-client';
import { Command, dockerWorker } from '../harness/command.ts';
import { makeTempDir } from '../harness/temp-dir.ts';

const graph = join(import.meta.dirname, '../../../../examples/task-graph.yml');
const expires = taskcluster.fromNowJSON('1 day');
const common = {
  taskQueueId: 'some/pool',
  ...{ created: taskcluster.fromNowJSON('0 seconds'), deadline: taskcluster.fromNowJSON('1 hour'), expires },
  metadata: { name: 'tests', description: '', owner: 'a@example.com', source: 'https://example.com' },
};
const path = 'public/image.tar';

test('a task of a deployment runs here, in the image that another task of it has made', async () => {
  await using folder = await makeTempDir();
  await using deployment = await startLocalTaskcluster();
  const queue = new taskcluster.Queue({ ...deployment });
  const [taskId, imageTaskId] = [taskcluster.slugid(), taskcluster.slugid()];
  await dockerWorker('run-task', graph, '--target', 'docker-image-*', '--artifacts', folder.path);
  await queue.createTask(imageTaskId, { ...common, payload: {} });
  await queue.claimTask(imageTaskId, 0, { workerGroup: 'g', workerId: 'w' });
  const contentType = 'application/x-tar';
  const { putUrl } = await queue.createArtifact(imageTaskId, 0, path, {
    storageType: 's3',
    contentType,
    expires,
  });
  const body = await readFile(join(folder.path, path));
  await fetch(putUrl, { method: 'PUT', body, headers: { 'content-type': contentType } });
  await queue.reportCompleted(imageTaskId, 0);
  await queue.createTask(taskId, {
    ...{ ...common, dependencies: [imageTaskId], routes: ['checks'] },
    payload: {
      image: { type: 'task-image', taskId: imageTaskId, path },
      maxRunTime: 60,
      command: ['bash', '-c', 'read -r tools < /etc/tools; echo "$TASK_ID has $tools"'],
    },
  });

  const address = `${deployment.rootUrl}/tasks/${taskId}`;
  const first = await dockerWorker('run-task', address);
  expect(first.stderr).toContain('tests: runs without its routes, which lead nowhere here: checks');
  expect(first.stdout).toContain('Downloading artifact "public/image.tar"');
  expect(first.stdout).toContain(`${taskId} has tools 1.0\r\n`);
  expect(first.code).toBe(0);

  await using shell = new Command(
    ['run-task', '--root-url', deployment.rootUrl, '--task-id', taskId, '--task-shell'],
    { terminal: { rows: 24, columns: 80 } },
  );
  await shell.printed(/its command is yours to run: \["bash","-c"/);
  await shell.printed(/# $/);
  shell.say('read -r tools < /etc/tools; echo "with $tools"; exit 5\r');
  expect(await shell.exited).toBe(5);
  expect(shell.stdout).toContain('with tools 1.0');
  // The engine has it from before.
  expect(shell.stdout).not.toContain('Downloading artifact');
});
