import { send, valuesOf } from '@docker-worker/service-kit/testing/send';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answerJson, startHawkUpstream } from '../testing/hawk-upstream.ts';
import { startProxy } from '../testing/start-proxy.ts';

/** What a client may not say in our name. */
const ours = [
  'authorization',
  'host',
  'x-taskcluster-endpoint',
  'x-taskcluster-authorized-scopes',
  'x-taskcluster-proxy-version',
  'x-taskcluster-proxy-revision',
  'x-taskcluster-proxy-perm-clientid',
  'x-taskcluster-proxy-temp-clientid',
  'x-taskcluster-proxy-temp-scopes',
];

/** Any mixture of upper and lower case, with `_` in place of some `-`. */
const spoofed = fc
  .tuple(
    fc.constantFrom(...ours.filter((name) => name !== 'host')),
    fc.infiniteStream(fc.tuple(fc.boolean(), fc.boolean())),
  )
  .map(([name, choices]) =>
    [...name]
      .map((letter) => {
        const [isUpper, isUnderscore] = choices.next().value as [boolean, boolean];
        if (letter === '-') return isUnderscore ? '_' : '-';
        return isUpper ? letter.toUpperCase() : letter;
      })
      .join(''),
  );

test('whatever a client sends in our name, the upstream sees only ours, once', async () => {
  await using upstream = await startHawkUpstream(({ rawHeaders }, response, { clientId }) => {
    answerJson(response, 200, { rawHeaders, clientId });
  });
  await using proxy = await startProxy(upstream.url);
  const host = upstream.url.slice('http://'.length);

  await fc.assert(
    fc.asyncProperty(fc.array(spoofed, { minLength: 1, maxLength: 6 }), async (names) => {
      const rawHeaders = names.flatMap((name) => [name, 'Hawk id="evil", mac="evil"']);
      const { status, text } = await send(proxy.port, '/q/v1/x', { rawHeaders });

      expect(status).toBe(200);
      const seen = JSON.parse(text) as { rawHeaders: string[]; clientId: string };
      expect(seen.clientId).toBe('tester');
      expect(seen.rawHeaders.join('\n')).not.toContain('evil');
      expect(valuesOf(seen.rawHeaders, 'authorization')).toHaveLength(1);
      expect(valuesOf(seen.rawHeaders, 'host')).toEqual([host]);
    }),
    { numRuns: 300 },
  );
});

test.each([['authorization'], ['Host, Authorization'], ['x-taskcluster-endpoint, content-length']])(
  'Connection: %s takes nothing away that is ours',
  async (connection) => {
    await using upstream = await startHawkUpstream((_, response, { clientId }) => {
      answerJson(response, 200, { clientId });
    });
    await using proxy = await startProxy(upstream.url);

    const rawHeaders = ['Connection', connection];
    const { text, headers } = await send(proxy.port, '/q/v1/x', { rawHeaders });

    expect(JSON.parse(text)).toEqual({ clientId: 'tester' });
    expect(headers['x-taskcluster-endpoint']).toBe(`${upstream.url}/api/q/v1/x`);
  },
);
