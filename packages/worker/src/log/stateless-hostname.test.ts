import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { WorkerConfig } from '../config/config.ts';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { hostnameOf } from './stateless-hostname.ts';

const secret = 'the secret of the name server';
const expires = new Date('2030-01-01T00:00:00Z');

function configWith(more: object): WorkerConfig {
  return testConfig({ publicIp: '203.0.113.7', host: 'worker.example.com', ...more });
}

/** As a name server reads it. */
function decoded(label: string): Buffer {
  const bits = [...label].map((digit) =>
    'abcdefghijklmnopqrstuvwxyz234567'.indexOf(digit).toString(2).padStart(5, '0'),
  );
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

test('the name holds address and expiry, signed', () => {
  const name = hostnameOf(
    configWith({ statelessHostname: { secret, domain: 'workers.example.com' } }),
    expires,
  );

  const [, label = '', domain] = /^([a-z2-7]{48})\.(.*)$/.exec(name) ?? [];
  expect(domain).toBe('workers.example.com');
  const bytes = decoded(label);
  expect([...bytes.subarray(0, 4)]).toEqual([203, 0, 113, 7]);
  expect(bytes.readBigInt64BE(4)).toBe(BigInt(expires.getTime()));
  const signature = createHmac('sha256', secret).update(bytes.subarray(0, 14)).digest();
  expect(bytes.subarray(14)).toEqual(signature.subarray(0, 16));
});

test.each([
  ['nothing is configured', {}],
  ['it is switched off', { statelessHostname: { enabled: false, secret, domain: 'd.example' } }],
  ['there is no domain', { statelessHostname: { secret } }],
  ['the address is not known', { publicIp: undefined, statelessHostname: { secret, domain: 'd.example' } }],
])('the configured host is used when %s', (_case, more) => {
  expect(hostnameOf(configWith(more), expires)).toBe('worker.example.com');
});
