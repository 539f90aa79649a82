import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { connectStandIn } from '../../engine/testing/connect-stand-in.ts';
import { CacheStore } from './cache-store.ts';
import { CacheVolumes } from './cache-volumes.ts';

const logger = pino({ level: 'silent' });

test('an instance is a volume, which is there for the next task, and is removed when the cache is purged', async () => {
  await using engine = await engineWithVolumes();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'caches-'));
  const contents = new CacheVolumes(engine.docker, folder.path);
  await using store = new CacheStore(Promise.resolve({ records: folder.path, contents }), logger);

  const first = await store.acquire('a');
  await first[Symbol.asyncDispose]();
  const second = await store.acquire('a');

  expect(first.path).toMatch(/^docker-worker-cache-[0-9a-f-]{36}$/);
  expect(first.isBare).toBe(false);
  expect(second.path).toBe(first.path);
  expect([...engine.volumes]).toEqual([first.path]);

  second.purge();
  await second[Symbol.asyncDispose]();
  await store.settled();
  expect([...engine.volumes]).toEqual([]);
});

test('a volume that the container of a task still has is removed after that', async () => {
  await using engine = await engineWithVolumes();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'caches-'));
  const contents = new CacheVolumes(engine.docker, folder.path);
  await using store = new CacheStore(Promise.resolve({ records: folder.path, contents }), logger);
  const lease = await store.acquire('a');
  engine.use(lease.path);

  lease.purge();
  await lease[Symbol.asyncDispose]();
  await store.settled();

  expect([...engine.volumes]).toEqual([]);
  expect(engine.waits).toBe(1);
});

test('volumes that no record tells of are swept, but not those of other workers', async () => {
  await using engine = await engineWithVolumes();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'caches-'));
  const contents = new CacheVolumes(engine.docker, folder.path);
  const record = { id: 'own', name: 'a', created: new Date(), lastUsed: new Date(), holder: 'free' as const };
  await contents.make(record);
  await new CacheVolumes(engine.docker, '/elsewhere').make({ ...record, id: 'other' });
  await using store = new CacheStore(Promise.resolve({ records: folder.path, contents }), logger);

  expect(await store.sweep()).toBe(1);
  await store.settled();

  expect([...engine.volumes]).toEqual(['docker-worker-cache-other']);
});

/** One that keeps volumes, and no container but one that ends as soon as somebody waits for it. */
async function engineWithVolumes() {
  const volumes = new Map<string, string>();
  let inUse: string | undefined;
  let waits = 0;
  const { engine, ...standIn } = await connectStandIn(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://engine');
    const send = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const name = pathname.split('/')[2] ?? '';
    if (pathname === '/events') {
      response.writeHead(200).flushHeaders();
    } else if (pathname === '/volumes/create') {
      const { Name, Labels } = (await json(request)) as { Name: string; Labels: Record<string, string> };
      volumes.set(Name, Object.entries(Labels)[0]?.join('=') ?? '');
      send({ Name }, 201);
    } else if (pathname === '/volumes') {
      const { label } = JSON.parse(searchParams.get('filters') ?? '{}') as { label: string[] };
      const listed = [...volumes].filter(([, own]) => label.includes(own));
      send({ Volumes: listed.map(([Name]) => ({ Name })) });
    } else if (pathname === '/containers/json') {
      send(inUse === undefined ? [] : [{ Id: 'user' }]);
    } else if (pathname === '/containers/user/wait') {
      waits++;
      inUse = undefined;
      send({ StatusCode: 0 });
    } else if (request.method === 'DELETE' && name === inUse) {
      send({ message: 'volume is in use' }, 409);
    } else if (request.method === 'DELETE') {
      const isThere = volumes.delete(name);
      response.writeHead(isThere ? 204 : 404).end();
    } else {
      response.end('OK');
    }
  });
  return {
    docker: engine.docker,
    get volumes() {
      return volumes.keys();
    },
    get waits() {
      return waits;
    },
    use(volume: string) {
      inUse = volume;
    },
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  };
}
