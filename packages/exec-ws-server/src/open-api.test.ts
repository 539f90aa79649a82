import { undocumented } from '@docker-worker/service-kit/testing/as-documented';
import { send } from '@docker-worker/service-kit/testing/send';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openApiDocument } from './open-api.ts';
import { startServer, type TestServer } from './testing/start-server.ts';

const document = openApiDocument('1');
const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};
let server: TestServer;
beforeAll(async () => {
  server = await startServer('no container is needed for this', { withPage: true });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test.each([
  ['/{secret}', 308],
  ['/{secret}/', 200],
  ['/{secret}/shell.js', 200],
  ['/{secret}/shell.css', 200],
  ['/{secret}/icon.svg', 200],
])('%s answers %i, and 404 with another secret, as the document says', async (path, status) => {
  const answer = await send(server.port, path.replace('{secret}', server.secret));
  const denied = await send(server.port, path.replace('{secret}', 'another'));

  expect([answer.status, denied.status]).toEqual([status, 404]);
  expect(undocumented(document, `GET ${path}`, answer)).toEqual([]);
  expect(undocumented(document, `GET ${path}`, denied)).toEqual([]);
});

test.each([
  ['/{secret}/session', 400],
  ['/{secret}/shell.sock', 400],
  ['/shell/{secret}', 401],
])('a WebSocket at %s with another secret gets %i as the document says', async (path, status) => {
  const answer = await send(server.port, path.replace('{secret}', 'another'), { headers: upgrade });

  expect(answer.status).toBe(status);
  expect(undocumented(document, `GET ${path}`, answer)).toEqual([]);
});

test('a page of another origin gets 403 as the document says', async () => {
  const headers = { ...upgrade, origin: 'https://elsewhere.example.com' };
  const answer = await send(server.port, `/shell/${server.secret}`, { headers });

  expect(answer.status).toBe(403);
  expect(undocumented(document, 'GET /shell/{secret}', answer)).toEqual([]);
});
