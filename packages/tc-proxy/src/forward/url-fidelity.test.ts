import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { permanent, startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';
import { temporaryCredentials } from '../testing/temporary-credentials.ts';

const urls = 10_000;
/** Sent in one go on one connection. */
const batch = 50;

/** Printable ASCII without space, `#` (a fragment is not sent) and `%` (which must begin an escape). */
const plain = fc.constantFrom(
  ...Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
    (character) => !'#%?'.includes(character),
  ),
);
const percentEncoded = fc.integer({ min: 0, max: 255 }).chain((byte) => {
  const hex = byte.toString(16).padStart(2, '0');
  return fc.constantFrom(`%${hex}`, `%${hex.toUpperCase()}`);
});
const notorious = fc.constantFrom(
  ...[
    '%2F',
    '%2f',
    '%252F',
    '%25252F',
    '..',
    '.',
    '//',
    '/../',
    '/./',
    '%2e%2e',
    '{}',
    '|',
    '^',
    "'",
    '"',
    '`',
  ],
  ...[
    '<>',
    '\\',
    ';',
    'a;b',
    '@',
    ':',
    '!',
    '$',
    '&',
    '(',
    ')',
    '*',
    '+',
    ',',
    '=',
    '[',
    ']',
    '~',
    '/',
    '%00',
    '%0d%0a',
  ],
);
const pathPart = fc.oneof({ weight: 5, arbitrary: plain }, percentEncoded, {
  weight: 3,
  arbitrary: notorious,
});
/** In queries anything may follow a `%`. */
const queryPart = fc.oneof(
  { weight: 5, arbitrary: plain },
  percentEncoded,
  { weight: 2, arbitrary: notorious },
  fc.constantFrom('&', '&&', '=', '?', '%', '%zz', '+', 'empty=', 'a=1&a=2', '&='),
);
const path = fc.array(pathPart, { maxLength: 40 }).map((parts) => parts.join(''));
const query = fc
  .option(fc.array(queryPart, { maxLength: 30 }), { nil: undefined })
  .map((parts) => (parts === undefined ? '' : `?${parts.join('')}`));
const prefix = fc.constantFrom('/api/queue/v1/', '/queue/v1/');
const url = fc.tuple(prefix, path, query).map((parts) => parts.join(''));
/** Up to 8 KiB. */
const longUrl = fc
  .tuple(prefix, fc.array(pathPart, { minLength: 500, maxLength: 3_000 }), query)
  .map(([first, parts, last]) => `${first}${parts.join('').slice(0, 8_000).replace(/%.?$/, '')}${last}`);

test.each([
  ['permanent credentials', permanent, undefined],
  ['restricted temporary credentials', temporaryCredentials(['a:*', 'b']), ['a:b']],
])(
  'each of 10,000 URLs is accepted by a verifier with %s, as it was sent',
  async (_, credentials, scopes) => {
    const arrived: string[] = [];
    await using upstream = await startHawkUpstream((request, response) => {
      arrived.push(request.url ?? '');
      response.end('verified');
    });
    await using proxy = await startProxy(upstream.url, {
      credentials,
      ...(scopes ? { authorizedScopes: scopes } : {}),
    });
    let sent = 0;

    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 60, arbitrary: url }, longUrl), { minLength: batch, maxLength: batch }),
        async (targets) => {
          arrived.length = 0;
          const text = await pipelined(proxy.port, targets);
          const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
          sent += targets.length;

          expect(statuses).toEqual(targets.map(() => 200));
          expect(arrived.sort()).toEqual(
            targets.map((target) => target.replace(/^(?!\/api)/, '/api')).sort(),
          );
        },
      ),
      { numRuns: urls / 2 / batch, endOnFailure: true },
    );

    expect(sent).toBe(urls / 2);
  },
);

test('arbitrary bytes as a request target are accepted by a verifier, or refused before they are signed', async () => {
  let verified = 0;
  await using upstream = await startHawkUpstream((_, response) => {
    verified += 1;
    response.end('verified');
  });
  await using proxy = await startProxy(upstream.url);
  const bytes = fc
    .array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 })
    .map((list) => `/api/queue/v1/${String.fromCharCode(...list)}`);

  await fc.assert(
    fc.asyncProperty(bytes, async (target) => {
      const before = upstream.requests();
      const text = await pipelined(proxy.port, [target]);
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);

      expect([200, 400, 404]).toContain(status);
      expect(upstream.requests() - before).toBe(status === 200 ? 1 : 0);
    }),
    { numRuns: 2_000, endOnFailure: true },
  );

  expect(verified).toBeGreaterThan(100);
});

/** The answers to GETs of these targets, sent at once on one connection, the last of which closes it. */
async function pipelined(port: number, targets: string[]): Promise<string> {
  const client = connect(port, '127.0.0.1');
  const requests = targets.map((target, index) => {
    const connection = index === targets.length - 1 ? 'close' : 'keep-alive';
    return `GET ${target} HTTP/1.1\r\nHost: taskcluster\r\nConnection: ${connection}\r\n\r\n`;
  });
  client.on('error', () => {});
  client.write(Buffer.from(requests.join(''), 'latin1'));
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => client.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}
