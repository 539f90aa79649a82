import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { EngineUnavailable, engineMessage, engineStatus } from './engine.ts';

test("an error of the engine's API is told in Docker's own words", async () => {
  const error = await refusalOf(404, 'application/json', '{"message":"No such image: nope:latest\\n"}');

  expect(engineMessage(error)).toBe('No such image: nope:latest');
  expect(engineStatus(error)).toBe(404);
});

test('an answer that is not from Docker is told as it came', async () => {
  const error = await refusalOf(502, 'text/plain', 'Bad Gateway');

  expect(engineMessage(error)).toContain('Bad Gateway');
  expect(engineStatus(error)).toBe(502);
});

test('any other error is told by its message, and has no status', () => {
  expect(engineMessage(new Error('socket hang up'))).toBe('socket hang up');
  expect(engineMessage('text')).toBe('text');
  expect(engineStatus(new Error('socket hang up'))).toBeUndefined();
});

test.each([
  ['EACCES', 'join the group that owns it'],
  ['ENOENT', 'start it ("systemctl start docker"'],
  ['ECONNREFUSED', 'or set DOCKER_HOST'],
])('%s at the engine comes with what to do about it', (code, fix) => {
  const { message } = new EngineUnavailable(Object.assign(new Error('connect'), { code }));

  expect(message).toContain(code);
  expect(message).toContain(fix);
});

/** What dockerode makes of an answer. */
async function refusalOf(status: number, type: string, body: string): Promise<unknown> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const docker = new Docker({ protocol: 'http', host: '127.0.0.1', port });
    return await docker
      .getImage('nope')
      .inspect()
      .catch((error: unknown) => error);
  } finally {
    server.close();
  }
}
