import { expect, test } from '@jest/globals';
import { referenceEntry } from '../testing/conformance.ts';
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
