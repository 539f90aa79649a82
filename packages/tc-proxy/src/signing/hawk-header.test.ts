import { HawkKey, hawkHeader } from '@docker-worker/service-kit';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import Hawk from 'hawk';

const key = 'a-key';
const printable = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
});

test('hawk accepts the header of any method, port and printable resource', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PROPFIND'),
      fc.integer({ min: 1, max: 65_535 }),
      printable,
      fc.option(fc.base64String({ minLength: 1 }), { nil: undefined }),
      async (method, port, rest, ext) => {
        const resource = `/${rest}`;
        const credentials = { id: 'project/a@b:c', key: new HawkKey(key), ext };

        const authorization = hawkHeader({ method, host: 'h.example', port, resource }, credentials);

        const { artifacts } = await Hawk.server.authenticate(
          { method, url: resource, host: 'h.example', port, authorization } as never,
          async () => ({ key, algorithm: 'sha256' as const, user: 'u' }),
        );
        expect(artifacts).toMatchObject({ id: 'project/a@b:c', resource });
        expect(artifacts.ext).toBe(ext);
      },
    ),
    { numRuns: 300 },
  );
});

test('two headers of the same request differ in their nonce', () => {
  const credentials = { id: 'i', key: new HawkKey(key) };
  const request = { method: 'GET', host: 'h', port: 80, resource: '/' };
  const nonces = Array.from(
    { length: 2_000 },
    () => /nonce="(.{8})"/.exec(hawkHeader(request, credentials))?.[1],
  );

  expect(new Set(nonces).size).toBe(2_000);
});
