import { mkdtempDisposable } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { expect, test } from '@jest/globals';
import { processEngine } from '../taskcluster-access/testing/process-engine.ts';
import { makeSocketFolder, socketName } from './socket-folder.ts';

test('on an engine that does not see the folder, a relay brings the connections of a volume to it', async () => {
  await using state = await mkdtempDisposable(join(tmpdir(), 'state-'));
  await using volume = await mkdtempDisposable(join(tmpdir(), 'volume-'));
  await using engine = await processEngine({ rewrite: (word) => word.replace('/sockets', volume.path) });
  const owner = { worker: 'worker', taskRun: 'task/0' };

  await using folder = await makeSocketFolder(engine.engine, {
    ...{ owner, stateDirectory: state.path, image: 'image', target: '/run/service' },
  });
  await using _listening = await listening(
    createServer((socket) => socket.end('hello')),
    { path: join(folder.path, socketName) },
  );

  expect(folder.bind).toMatch(/^docker-worker\.sockets\.task-0\.[0-9a-f]{6}:\/run\/service:ro$/);
  expect(await text(connect(join(volume.path, socketName)))).toBe('hello');
});
