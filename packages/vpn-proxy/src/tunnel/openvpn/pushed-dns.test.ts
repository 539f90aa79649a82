import { expect, test } from '@jest/globals';
import { pushedDns } from './pushed-dns.ts';

test('name servers of both forms are taken in their order, other options are not', () => {
  const variables = new Map([
    ['foreign_option_10', 'dhcp-option DNS 10.0.0.10'],
    ['foreign_option_2', 'dhcp-option DNS 10.0.0.2'],
    ['foreign_option_3', 'dhcp-option WINS 10.0.0.3'],
    ['foreign_option_4', 'dhcp-option DNS6 fd00::1'],
    ['foreign_option_5', 'dhcp-option DNS not-an-address'],
    ['dns_server_1_address_1', '10.0.0.99'],
  ]);

  expect(pushedDns(variables)).toEqual({ servers: ['10.0.0.99', '10.0.0.2', 'fd00::1', '10.0.0.10'] });
});

test('the first domain is for short names', () => {
  const variables = new Map([['foreign_option_1', 'dhcp-option DOMAIN corp.test']]);

  expect(pushedDns(variables)).toEqual({ servers: [], domain: 'corp.test' });
});
