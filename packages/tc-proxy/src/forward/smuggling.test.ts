import { connect } from 'node:net';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { valuesOf } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import { authenticate } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';

/** Follows on the same connection. No case may turn it, or what is hidden in a body, into something else. */
const second = 'GET /q/v1/second HTTP/1.1\r\nHost: taskcluster\r\nConnection: close\r\n\r\n';
const hidden = 'GET /q/v1/hidden HTTP/1.1\r\nHost: taskcluster\r\n\r\n';

interface Seen {
  line: string;
  body: string;
  rawHeaders: string[];
  clientId: string;
}

/** Remembers each request that arrived as a whole. */
async function startWitness() {
  const seen: Seen[] = [];
  const server = await startServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { clientId } = await authenticate(request);
      const body = Buffer.concat(chunks).toString('latin1');
      seen.push({ line: `${request.method} ${request.url}`, body, rawHeaders: request.rawHeaders, clientId });
      response.end('ok');
    });
  });
  return { ...server, seen };
}

/** Sends the bytes and then the second request; resolves with the statuses once the connection is closed. */
async function sendBytes(port: number, bytes: string): Promise<number[]> {
  const client = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  client.on('error', () => {});
  client.write(Buffer.from(bytes + second, 'latin1'));
  await new Promise((resolve) => client.once('close', resolve));
  const text = Buffer.concat(chunks).toString('latin1');
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)]
    .map(([, status]) => Number(status))
    .filter((status) => status >= 200);
}

function post(headers: string, body = ''): string {
  return `POST /q/v1/first HTTP/1.1\r\nHost: taskcluster\r\n${headers}\r\n\r\n${body}`;
}

const chunked = `5\r\nhello\r\n0\r\n\r\n`;
const chunkedHidden = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

/** Refused before anything is sent to the upstream, and the connection closed. */
const refused: [string, string, number?][] = [
  ['CL.TE', post(`Content-Length: ${chunked.length}\r\nTransfer-Encoding: chunked`, chunked)],
  [
    'CL.TE with a request behind the last chunk',
    post(`Content-Length: ${5 + hidden.length}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${hidden}`),
  ],
  ['TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 4', chunkedHidden)],
  ['TE.TE, chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', chunked)],
  ['TE.TE, chunked and identity', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', chunked)],
  ['TE: chunked, identity', post('Transfer-Encoding: chunked, identity', chunked)],
  ['TE: xchunked', post('Transfer-Encoding: xchunked', chunked)],
  ['TE: chunked behind a vertical tab', post('Transfer-Encoding: \x0bchunked', chunked)],
  ['TE: chunked and NUL', post('Transfer-Encoding: chunked\0', chunked)],
  ['TE: "chunked"', post('Transfer-Encoding: "chunked"', chunked)],
  ['TE: identity', post('Transfer-Encoding: identity', hidden)],
  ['TE with a space before its colon', post('Transfer-Encoding : chunked', chunked)],
  ['TE with a tab before its colon', post('Transfer-Encoding\t: chunked', chunked)],
  ['TE behind a space', post('X: y\r\n Transfer-Encoding: chunked', chunked)],
  ['TE folded', post('Transfer-Encoding:\r\n chunked', chunked)],
  ['two different CL', post('Content-Length: 5\r\nContent-Length: 6', 'hello')],
  ['two equal CL', post('Content-Length: 5\r\nContent-Length: 5', 'hello')],
  ['CL: 5, 5', post('Content-Length: 5, 5', 'hello')],
  ['CL: 5 5', post('Content-Length: 5 5', 'hello')],
  ['CL: +5', post('Content-Length: +5', 'hello')],
  ['CL: -5', post('Content-Length: -5', 'hello')],
  ['CL: 0x5', post('Content-Length: 0x5', 'hello')],
  ['CL: 5.0', post('Content-Length: 5.0', 'hello')],
  ['CL: empty', post('Content-Length: ', 'hello')],
  ['CL beyond 64 bits', post('Content-Length: 18446744073709551621', 'hello')],
  ['CL with a space before its colon', post('Content-Length : 5', 'hello')],
  ['CL folded', post('Content-Length:\r\n 5', 'hello')],
  ['a folded header', post('X: a\r\n b')],
  ['bare LF as line ends', post('Content-Length: 0').replaceAll('\r\n', '\n')],
  ['bare LF between headers', post('X: a\nContent-Length: 5', 'hello')],
  ['bare CR between headers', post('X: a\rContent-Length: 5', 'hello')],
  ['bare CR in a value', post('X: a\rb')],
  ['bare LF at the end of the headers', `POST /q/v1/first HTTP/1.1\r\nHost: taskcluster\r\n\n${hidden}`],
  ['NUL in a value', post('X: a\0b')],
  ['NUL in a name', post('X\0: a')],
  ['NUL in the path', 'GET /q/v1/\0first HTTP/1.1\r\nHost: taskcluster\r\n\r\n'],
  ['a space in a name', post('X Y: a')],
  ['a header without colon', post('X')],
  ['a header without name', post(': a')],
  ['a name with a slash and quotation marks', post('X/"Y": a')],
  ['a control character in a value', post('X: a\x01b')],
  ['two Host headers', post('Host: other\r\nContent-Length: 5', 'hello')],
  ['two equal Host headers', post('host: taskcluster')],
  ['no Host', 'GET /q/v1/first HTTP/1.1\r\n\r\n'],
  ['a tab in the request line', 'GET\t/q/v1/first HTTP/1.1\r\nHost: taskcluster\r\n\r\n'],
  ['a space in the path', 'GET /q/v1/first HTTP/1.1 /q/v1/x HTTP/1.1\r\nHost: taskcluster\r\n\r\n'],
  ['a method in lower case', 'get /q/v1/first HTTP/1.1\r\nHost: taskcluster\r\n\r\n'],
  ['a method nobody knows', 'GETS /q/v1/first HTTP/1.1\r\nHost: taskcluster\r\n\r\n'],
  ['HTTP/0.9', 'GET /q/v1/first\r\n'],
  ['HTTP/1.2', 'GET /q/v1/first HTTP/1.2\r\nHost: taskcluster\r\n\r\n'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['header block of 140 KiB', post(`X: ${'x'.repeat(140 * 1024)}`), 431],
  ['CONNECT', 'CONNECT tc.example.com:443 HTTP/1.1\r\nHost: tc.example.com:443\r\n\r\n', 405],
];

test.each(refused)('%s: refused', async (_, bytes, status = 400) => {
  await using upstream = await startWitness();
  await using proxy = await startProxy(upstream.url);

  const statuses = await sendBytes(proxy.port, bytes);

  expect(statuses).toEqual([status]);
  expect(upstream.requests()).toBe(0);
});

/** The head is in order, so that it may have been forwarded; the body is found to be broken afterwards. */
const cut: [string, string][] = [
  ['+5', '+5\r\nhello\r\n0\r\n\r\n'],
  ['-5', '-5\r\nhello\r\n0\r\n\r\n'],
  ['0x5', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['nothing', '\r\nhello\r\n0\r\n\r\n'],
  ['a space first', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a space behind', '5 \r\nhello\r\n0\r\n\r\n'],
  ['more than 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['bare LF behind the size', '5\nhello\r\n0\r\n\r\n'],
  ['bare CR behind the size', '5\rhello\r\n0\r\n\r\n'],
  ['bare LF behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['nothing behind the data', '5\r\nhello0\r\n\r\n'],
  ['longer data than said', `3\r\nhello\r\n0\r\n\r\n`],
  ['bare LF in an extension', `5;a=\nb\r\nhello\r\n0\r\n\r\n`],
  ['NUL in an extension', '5;a=\0\r\nhello\r\n0\r\n\r\n'],
  ['bare LF as the end', '5\r\nhello\r\n0\r\n\n'],
  ['followed by a trailer that is a framing header', '5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n'],
  ['followed by a folded trailer', '5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n'],
];

test.each(cut)('a chunk whose size is %s: never a whole request upstream', async (_, body) => {
  await using upstream = await startWitness();
  await using proxy = await startProxy(upstream.url);

  const statuses = await sendBytes(proxy.port, post('Transfer-Encoding: chunked', body));

  expect(statuses.length).toBeLessThanOrEqual(1);
  expect(statuses.every((status) => status >= 400)).toBe(true);
  expect(upstream.seen).toEqual([]);
});

/** In order, if odd: the upstream sees the first request with its one body, then the second. */
const clean: [string, string, string][] = [
  ['a request in a body with CL', post(`Content-Length: ${hidden.length}`, hidden), hidden],
  ['a request in a chunked body', post('Transfer-Encoding: chunked', chunkedHidden), hidden],
  ['TE in capitals', post('TRANSFER-ENCODING: CHUNKED', chunked), 'hello'],
  ['CL between spaces and tabs', post('Content-Length: \t 5 \t', 'hello'), 'hello'],
  ['CL with zeros', post('Content-Length: 0005', 'hello'), 'hello'],
  ['chunk extensions', post('Transfer-Encoding: chunked', '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n'), 'hello'],
  ['chunk sizes with zeros', post('Transfer-Encoding: chunked', '00005\r\nhello\r\n000\r\n\r\n'), 'hello'],
  [
    'trailers',
    post(
      'Transfer-Encoding: chunked\r\nTrailer: Host',
      '5\r\nhello\r\n0\r\nHost: x\r\nAuthorization: x\r\n\r\n',
    ),
    'hello',
  ],
  ['empty lines first', `\r\n\r\n${post('Content-Length: 5', 'hello')}`, 'hello'],
  [
    'absolute form for another host',
    post('Content-Length: 5', 'hello').replace('/q', 'http://other/q'),
    'hello',
  ],
  [
    'look-alikes of framing headers',
    post(`Content_Length: 3\r\nTransfer_Encoding: chunked\r\nContent-Length: 5`, 'hello'),
    'hello',
  ],
  [
    'Connection that names framing headers',
    post('Connection: content-length, transfer-encoding, host, authorization\r\nContent-Length: 5', 'hello'),
    'hello',
  ],
  ['Expect: 100-continue', post('Expect: 100-continue\r\nContent-Length: 5', 'hello'), 'hello'],
  [
    'line breaks percent-encoded in the path',
    post('Content-Length: 5', 'hello').replace('first', 'first%0d%0aX:%20y'),
    'hello',
  ],
  ['500 headers', post(`${'X: y\r\n'.repeat(500)}Content-Length: 5`, 'hello'), 'hello'],
  ['two spaces in the request line', 'GET  /q/v1/first HTTP/1.1\r\nHost: taskcluster\r\n\r\n', ''],
  ['a GET with a body', post(`Content-Length: ${hidden.length}`, hidden).replace('POST', 'GET'), hidden],
];

test.each(clean)('%s: one clean request, then the second', async (_, bytes, body) => {
  await using upstream = await startWitness();
  await using proxy = await startProxy(upstream.url);

  const statuses = await sendBytes(proxy.port, bytes);

  const [one, two, ...more] = upstream.seen;
  expect(statuses).toEqual([200, 200]);
  expect(more).toEqual([]);
  expect(one?.line).toMatch(/^(POST|GET) \/api\/q\/v1\/first(%0d%0aX:%20y)?$/);
  expect(one?.body).toBe(body);
  expect([two?.line, two?.body]).toEqual(['GET /api/q/v1/second', '']);
  for (const { rawHeaders, clientId } of [one as Seen, two as Seen]) {
    expect(clientId).toBe('tester');
    expect(valuesOf(rawHeaders, 'host')).toEqual([upstream.url.slice('http://'.length)]);
    expect(valuesOf(rawHeaders, 'authorization')).toHaveLength(1);
    const framing = [...valuesOf(rawHeaders, 'content-length'), ...valuesOf(rawHeaders, 'transfer-encoding')];
    expect(framing.length).toBeLessThanOrEqual(1);
    const names = rawHeaders.filter((_name, index) => index % 2 === 0);
    expect(names.filter((name) => name.includes('_') || /^(upgrade|expect|trailer)$/i.test(name))).toEqual(
      [],
    );
  }
});

test.each([
  ['h2c', ''],
  ['h2c', 'hello'],
  ['websocket', 'hello'],
])(
  'an upgrade to %s with the body %j is one plain request, and the last of its connection',
  async (to, body) => {
    await using upstream = await startWitness();
    await using proxy = await startProxy(upstream.url);
    const headers = `Connection: Upgrade\r\nUpgrade: ${to}\r\nContent-Length: ${body.length}`;

    const statuses = await sendBytes(proxy.port, post(headers, body));

    // Node loses what is pipelined behind such a request, so its sender must not wait for an answer.
    expect(statuses).toEqual([200]);
    expect(upstream.seen).toMatchObject([{ line: 'POST /api/q/v1/first', body }]);
    expect(valuesOf(upstream.seen[0]?.rawHeaders ?? [], 'upgrade')).toEqual([]);
  },
);

test('what is pipelined behind a WebSocket request that was turned down is not a request', async () => {
  await using upstream = await startWitness();
  await using proxy = await startProxy(upstream.url);
  const upgrade = 'GET /q/v1/first HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

  const statuses = await sendBytes(proxy.port, upgrade + hidden);

  expect(statuses).toEqual([200]);
  expect(upstream.seen.map(({ line }) => line)).toEqual(['GET /api/q/v1/first']);
});
