import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { connectEngine } from './engine.ts';
import { EngineApi, EnginePathRefused, EngineTimeout } from './engine-api.ts';
import { type EngineSocket, engineSocket } from './testing/engine-socket.ts';

/** Every connection that any client of this process asks for. */
const opened: unknown[] = [];
const { DOCKER_HOST } = process.env;

beforeEach(() => {
  opened.length = 0;
  const { connect } = Socket.prototype;
  jest.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...all: unknown[]) {
    const [{ host, path }] = [all[0]].flat() as [{ host?: string; path?: string }];
    opened.push(path ?? host);
    if (path === undefined) {
      return this.destroy(new Error('a test opens no connection to the outside'));
    }
    return Reflect.apply(connect, this, all);
  } as typeof connect);
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  process.env.DOCKER_HOST = DOCKER_HOST;
  if (DOCKER_HOST === undefined) {
    delete process.env.DOCKER_HOST;
  }
});

test.each([
  'http://169.254.169.254/latest/meta-data',
  'https://169.254.169.254/',
  '/v1.41/images/json',
  'gopher://a/',
  '//:',
  'http://',
])('a redirect to %j is an error, and no other connection is opened', async (location) => {
  await using engine = await engineSocket((request, response) =>
    ['/events', '/_ping'].some((path) => request.url?.startsWith(path))
      ? response.writeHead(200).write('OK')
      : response.writeHead(301, { location }).end(),
  );
  process.env.DOCKER_HOST = `unix://${engine.socketPath}`;
  await using connected = await connectEngine();
  const { docker } = connected;

  const answers = await Promise.allSettled([
    docker.getImage('a').inspect(),
    docker.createImage({}, { fromImage: 'a', tag: 'b' }),
    docker.getContainer('a').getArchive({ path: '/a' }),
    docker.getContainer('a').attach({ stream: true }),
  ]);

  expect(answers).toMatchObject(answers.map(() => ({ reason: { statusCode: 301 } })));
  // The client of a test before may have come back for a moment.
  expect(opened.filter((target) => !String(target).endsWith('/docker.sock'))).toEqual([]);
  expect(opened).toContain(engine.socketPath);
});

test.each(['a/../../169.254.169.254/latest/meta-data/iam', 'http://x', '..', '.', '', '/a', 'a/', 'a//b'])(
  'the engine is not asked about an image called %j',
  async (name) => {
    await using engine = await acceptingEngine();
    const docker = new EngineApi({ socketPath: engine.socketPath });

    await expect(docker.getImage(name).inspect()).rejects.toThrow(EnginePathRefused);
    expect(engine.asked).toEqual([]);
  },
);

test('whatever a name is, the path says that name and nothing else, or is not asked for', async () => {
  await using engine = await acceptingEngine();
  const docker = new EngineApi({ socketPath: engine.socketPath });
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', '%2e%2e', '%2F', '?a=b', '#', '\\', '\r\n'),
    fc.string({ unit: 'binary' }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
      const name = parts.join('/');
      engine.asked.length = 0;

      const [answer] = await Promise.allSettled([docker.getImage(name).inspect()]);

      if (answer.status === 'rejected') {
        expect(answer.reason).toBeInstanceOf(EnginePathRefused);
        expect(engine.asked).toEqual([]);
      } else {
        const { pathname, search } = new URL(engine.asked[0] ?? '', 'http://engine');
        expect(decodeURIComponent(pathname)).toBe(`/images/${name.toWellFormed()}/json`);
        expect(search).toBe('');
      }
    }),
    { numRuns: 300 },
  );
});

function acceptingEngine(): Promise<EngineSocket> {
  return engineSocket((_request, response) => response.end('{}'));
}

test.each<[string, (docker: EngineApi) => Promise<unknown>]>([
  ['a question', (docker) => docker.getContainer('a').inspect()],
  ['an attachment', (docker) => docker.getContainer('a').attach({ stream: true })],
  ['an exec', (docker) => docker.getExec('a').start({ hijack: true, stdin: true })],
  ['an archive', (docker) => docker.getContainer('a').getArchive({ path: '/' })],
  ['a pull', (docker) => docker.createImage({}, { fromImage: 'a', tag: 'b' })],
  ['a removal', (docker) => docker.getContainer('a').remove()],
])('%s that the engine does not answer fails after a time', async (_, ask) => {
  await using engine = await engineSocket(
    () => {},
    () => {},
  );
  const docker = new EngineApi({ socketPath: engine.socketPath }, { answerMs: 50 });

  await expect(ask(docker)).rejects.toThrow(EngineTimeout);
});

test.each<[string, (docker: EngineApi) => Promise<NodeJS.ReadableStream>]>([
  ['an archive', (docker) => docker.getContainer('a').getArchive({ path: '/' })],
  ['a pull', (docker) => docker.createImage({}, { fromImage: 'a', tag: 'b' })],
])('%s that does not go on fails after a time', async (_, ask) => {
  await using engine = await engineSocket((_request, response) => response.writeHead(200).write('a'));
  const docker = new EngineApi({ socketPath: engine.socketPath }, { idleMs: 50 });

  const stream = await ask(docker);

  await expect(text(stream)).rejects.toThrow(EngineTimeout);
});

test('a stream that has begun in time may last as long as it does', async () => {
  let end = () => {};
  await using engine = await engineSocket((_request, response) => {
    response.writeHead(200).write('a');
    end = () => response.end('b');
  });
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const docker = new EngineApi({ socketPath: engine.socketPath }, { answerMs: 1_000 });

  const stream = await docker.getContainer('a').attach({ stream: true });
  jest.advanceTimersByTime(10_000);
  end();

  expect(await text(stream)).toBe('ab');
});
