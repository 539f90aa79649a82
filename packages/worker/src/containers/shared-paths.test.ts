import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { connectStandIn } from '../engine/testing/connect-stand-in.ts';
import { factsOfThisHost } from '../engine/testing/docker-facts.ts';
import { requireSharedPaths, seesFolder } from './shared-paths.ts';

type When = 'never' | 'create' | 'start';

test.each(['create', 'start'] as const)(
  'an engine that does not find a folder, and says so on %s, does not see it',
  async (when) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'shared-'));
    await using standIn = await engineThatMisses(when);

    expect(await seesFolder(standIn.engine, 'worker', folder.path)).toBe(false);
    await expect(requireSharedPaths(standIn.engine, 'worker', { key: folder.path })).rejects.toThrow(
      `does not find ${folder.path} ("key") where this worker has it`,
    );
  },
);

test('an engine that finds it sees it, although no program runs there, and is asked once', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'shared-'));
  await using standIn = await engineThatMisses('never');

  expect(await seesFolder(standIn.engine, 'worker', folder.path)).toBe(true);
  const before = standIn.asked.length;
  expect(await seesFolder(standIn.engine, 'worker', folder.path)).toBe(true);
  expect(standIn.asked).toHaveLength(before);
});

test('an engine that has no image gets an empty one to be asked with', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'shared-'));
  await using standIn = await engineThatMisses('never', { images: [] });

  expect(await seesFolder(standIn.engine, 'worker', folder.path)).toBe(true);
  expect(standIn.asked).toContainEqual(expect.stringMatching(/^\/images\/create\?.*docker-worker-probe/));
});

test('the engine of this host is not asked', async () => {
  await using standIn = await engineThatMisses('create', { facts: factsOfThisHost });

  expect(await seesFolder(standIn.engine, 'worker', '/anything')).toBe(true);
  expect(standIn.asked.filter((url) => url.startsWith('/containers'))).toEqual([]);
});

async function engineThatMisses(
  when: When,
  { images = [{ Id: 'image' }], facts }: { images?: object[]; facts?: typeof factsOfThisHost } = {},
) {
  let source = '';
  return await connectStandIn(
    async (request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://engine');
      const send = (body: object, status = 200) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const missing = () => send({ message: `statfs ${source}: no such file or directory` }, 400);
      if (pathname === '/events') {
        response.writeHead(200).flushHeaders();
      } else if (pathname === '/images/json') {
        send(images);
      } else if (pathname === '/containers/create') {
        const { HostConfig } = (await json(request)) as { HostConfig: { Mounts: [{ Source: string }] } };
        source = HostConfig.Mounts[0].Source;
        if (when === 'create') missing();
        else send({ Id: 'container' }, 201);
      } else if (pathname.endsWith('/start')) {
        if (when === 'start') missing();
        else send({ message: 'exec: "/none": no such file or directory' }, 400);
      } else if (request.method === 'DELETE') {
        response.writeHead(204).end();
      } else {
        response.end('OK');
      }
    },
    { facts },
  );
}
