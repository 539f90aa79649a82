import type { ServerResponse } from 'node:http';
import { expect, test } from '@jest/globals';
import { EngineApi } from './engine-api.ts';
import { ensureImage, type PullOptions } from './ensure-image.ts';
import { engineSocket } from './testing/engine-socket.ts';

const name = 'registry.example.com/a:1';
const here = 'sha256:here';
const pulled = 'sha256:pulled';

/** An engine with an image or without, whose registry answers as told. */
async function engine(images: { local?: string }, pull: (response: ServerResponse) => void) {
  const socket = await engineSocket((request, response) => {
    if (request.method === 'POST') {
      pull(response);
      return;
    }
    response.writeHead(images.local === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(images.local === undefined ? { message: 'no' } : { Id: images.local }));
  });
  return {
    ensure: (options: PullOptions) =>
      ensureImage(new EngineApi({ socketPath: socket.socketPath }), name, options),
    pulls: () => socket.asked.filter((url) => url.includes('/images/create')).length,
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}

function refused(response: ServerResponse): void {
  response.writeHead(500, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message: 'dial tcp: no route to host' }));
}

test('an image that is here is pulled again only if that is wanted', async () => {
  const images: { local?: string } = { local: here };
  await using docker = await engine(images, (response) => {
    images.local = pulled;
    response.end('{"status":"Status: Downloaded newer image"}\n');
  });
  let fetched = 0;
  const onPulled = async () => {
    fetched += 1;
  };

  await expect(docker.ensure({ pull: 'missing', onPulled })).resolves.toBe(here);
  await expect(docker.ensure({ pull: 'never', onPulled })).resolves.toBe(here);
  expect(docker.pulls()).toBe(0);
  await expect(docker.ensure({ pull: 'always', onPulled })).resolves.toBe(pulled);
  // It was here without any task, so no task's end removes it.
  expect(fetched).toBe(0);
});

test('one that cannot be pulled is taken as it is, and that is said', async () => {
  await using docker = await engine({ local: here }, refused);
  const kept: string[] = [];

  const image = docker.ensure({ pull: 'always', onKept: ({ message }) => kept.push(message) });

  await expect(image).resolves.toBe(here);
  expect(kept).toEqual([`The image "${name}" could not be pulled: dial tcp: no route to host`]);
});

test('one that is not here is not asked for where images are never pulled', async () => {
  await using docker = await engine({}, refused);

  await expect(docker.ensure({ pull: 'never' })).rejects.toThrow(
    'it is not on this host, and is never to be pulled',
  );
  expect(docker.pulls()).toBe(0);
});

test.each([
  ['does not answer', () => {}],
  ['begins its answer and goes on with nothing', (response: ServerResponse) => void response.flushHeaders()],
])('a registry that %s ends the attempt', async (_, pull) => {
  await using docker = await engine({}, pull);

  const image = docker.ensure({ answerMs: 1_000, backOff: { maxAttempts: 2, delayFactor: 1 } });

  await expect(image).rejects.toThrow('the registry does not answer');
  expect(docker.pulls()).toBe(2);
});
