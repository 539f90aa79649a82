import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { startServer, type TestServer } from '@docker-worker/service-kit/testing/http-server';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDownload } from './download.ts';

const content = randomBytes(200_000);
const backOff = { maxAttempts: 4, delayFactor: 1, randomizationFactor: 0.25 };
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What the next requests get, in their order. */
let answers: Answer[];
let requests: { url: string | undefined; range: string | undefined }[];
let server: TestServer;
let url: string;

beforeEach(async () => {
  answers = [];
  requests = [];
  server = await startServer((request, response) => {
    requests.push({ url: request.url, range: request.headers.range });
    const answer = answers.shift() ?? whole;
    answer(request, response);
  });
  url = `${server.url}/image.tar`;
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

test('a download is all bytes of the server', async () => {
  expect((await download()).equals(content)).toBe(true);
});

test('a connection that is lost is taken up again where it ended', async () => {
  answers = [cutAfter(70_000), cutAfter(50_000), ranged];

  expect((await download()).equals(content)).toBe(true);

  expect(requests[0]?.range).toBeUndefined();
  expect(Number(requests[2]?.range?.match(/^bytes=(\d+)-$/)?.[1])).toBeGreaterThan(0);
});

test('a server that always begins at the beginning is no hindrance', async () => {
  answers = [cutAfter(70_000), whole];

  expect((await download()).equals(content)).toBe(true);
});

test('a server that is overloaded is asked again', async () => {
  answers = [status(503), status(500)];

  expect((await download()).equals(content)).toBe(true);
  expect(requests).toHaveLength(3);
});

test.each([401, 403, 404, 410, 424])('status %i is final', async (code) => {
  answers = [status(code)];

  await expect(download()).rejects.toThrow(`HTTP status ${code}`);
  expect(requests).toHaveLength(1);
});

test('a refusal is told with its reason, without what the queue says of the request', async () => {
  const message = 'Artifact not found\n\n---\n\n* method: getLatestArtifact';
  answers = [
    (_request, response) =>
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end(JSON.stringify({ code: 'ResourceNotFound', message })),
  ];

  await expect(download()).rejects.toThrow(/^HTTP status 404, ResourceNotFound: Artifact not found$/);
});

test('a redirect to the metadata service of a cloud is not followed', async () => {
  answers = [(_request, response) => response.writeHead(303, { location: 'http://169.254.169.254/x' }).end()];

  await expect(download()).rejects.toThrow('169.254.169.254, an address that no artifact is fetched from');
  expect(requests).toHaveLength(1);
});

test('a server that keeps failing is given up', async () => {
  answers = Array.from({ length: 10 }, () => status(503));

  await expect(download()).rejects.toThrow('HTTP status 503');
  expect(requests).toHaveLength(4);
});

test('connections that keep breaking are given up', async () => {
  answers = Array.from({ length: 10 }, () => cutAfter(10));

  await expect(download()).rejects.toThrow();
  expect(requests.length).toBeLessThanOrEqual(4);
});

test('what has changed meanwhile is not glued together', async () => {
  answers = [cutAfter(70_000), (_request, response) => response.end(Buffer.alloc(5))];

  await expect(download()).rejects.toThrow('has changed');
});

test('redirects are followed', async () => {
  answers = [(_request, response) => response.writeHead(303, { location: '/elsewhere' }).end()];

  expect((await download()).equals(content)).toBe(true);
  expect(requests.map((request) => request.url)).toEqual(['/image.tar', '/elsewhere']);
});

test('redirects without an end are not', async () => {
  answers = Array.from({ length: 10 }, () => (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(302, { location: '/again' }).end();
  });

  await expect(download()).rejects.toThrow('too many redirects');
});

test('an abort ends the wait for a server that says nothing', async () => {
  const stopping = new AbortController();
  answers = [() => stopping.abort(new Error('the task was cancelled'))];

  await expect(download(stopping.signal)).rejects.toThrow('the task was cancelled');
});

async function download(signal = new AbortController().signal): Promise<Buffer> {
  const { bytes } = await openDownload(() => url, { backOff, signal });
  return await buffer(bytes);
}

function whole(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': content.length, etag: '"1"' }).end(content);
}

function ranged(request: IncomingMessage, response: ServerResponse): void {
  const from = Number(request.headers.range?.match(/\d+/)?.[0]);
  const rest = content.subarray(from);
  response
    .writeHead(206, {
      'content-length': rest.length,
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
    })
    .end(rest);
}

/** Sends so many bytes of what was asked for, then breaks the connection. */
function cutAfter(bytes: number): Answer {
  return (request, response) => {
    const from = Number(request.headers.range?.match(/\d+/)?.[0] ?? 0);
    response.writeHead(from === 0 ? 200 : 206, { 'content-length': content.length - from, etag: '"1"' });
    response.write(content.subarray(from, from + bytes), () => setImmediate(() => response.destroy()));
  };
}

function status(code: number): Answer {
  return (_request, response) => response.writeHead(code).end('{}');
}
