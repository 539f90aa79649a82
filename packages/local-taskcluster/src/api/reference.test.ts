import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { referenceEntry, referenceNames } from '../testing/conformance.ts';
import { startForTest } from '../testing/start.ts';

test('every endpoint has the method, route and scopes that Taskcluster publishes', async () => {
  await using local = await startForTest();
  const mounted = [...local.conformance.mounted];

  const ours = mounted.map(([name, { method, route, scopes, input }]) => ({
    ...{ name, method, route, scopes, takesBody: input !== undefined },
  }));
  const published = mounted.map(([name]) => {
    const [service = '', endpoint = ''] = name.split('.');
    const { method, route, scopes, input } = referenceEntry(service, endpoint) ?? {};
    return { name, method, route, scopes, takesBody: input !== undefined };
  });

  expect(ours.length).toBeGreaterThan(70);
  expect(ours).toEqual(published);
});

test('an endpoint that is published and not here is named in the README', async () => {
  await using local = await startForTest();
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const services = new Set([...local.conformance.mounted.keys()].map((name) => name.split('.')[0] ?? ''));

  const missing = [...services].flatMap((service) =>
    referenceNames(service)
      .filter((name) => !local.conformance.mounted.has(name))
      .filter((name) => !readme.includes(`\`${name}\``)),
  );

  expect(services.size).toBe(7);
  expect(missing).toEqual([]);
});
