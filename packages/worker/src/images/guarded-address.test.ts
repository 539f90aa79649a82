import type { lookup } from 'node:dns';
import { expect, test } from '@jest/globals';
import { ForbiddenAddress, guardedLookup, requireAllowedAddress } from './guarded-address.ts';

test.each([
  'http://169.254.169.254/latest/meta-data',
  'http://169.254.170.2/',
  'http://100.100.100.200:80/',
  'http://[fd00:ec2::254]/',
  'http://[::ffff:169.254.169.254]/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
])('nothing is fetched from %s', (url) => {
  expect(() => requireAllowedAddress(url)).toThrow(ForbiddenAddress);
});

test.each(['http://127.0.0.1:8080/', 'https://queue.example.com/x', 'http://[::1]/', 'http://10.1.2.3/'])(
  'artifacts come from %s',
  (url) => {
    expect(() => requireAllowedAddress(url)).not.toThrow();
  },
);

test.each([
  ['the address of a metadata service', '169.254.169.254', true],
  ['any other address', '203.0.113.7', false],
])('a name that stands for %s', async (_, address, isRefused) => {
  const resolver = ((_host: string, _options: object, done: (error: null, found: object[]) => void) =>
    done(null, [
      { address: '203.0.113.1', family: 4 },
      { address, family: 4 },
    ])) as unknown as typeof lookup;
  const error = await new Promise((resolve) => {
    guardedLookup(resolver)('name.example', { all: true }, (failure) => resolve(failure));
  });

  expect(error instanceof ForbiddenAddress).toBe(isRefused);
});
