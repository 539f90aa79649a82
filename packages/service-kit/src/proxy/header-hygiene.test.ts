import { expect, test } from '@jest/globals';
import { endToEndHeaders } from './header-hygiene.ts';

const neverForwarded = [
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Expect',
  'HTTP2-Settings',
  'tRANSFER-eNCODING',
  'Transfer_Encoding',
  'Proxy_Authorization',
  'KEEP_ALIVE',
  'Content_Length',
  'content_length',
];

test.each(neverForwarded)('%s does not cross the proxy', (name) => {
  expect(endToEndHeaders(['A', '1', name, 'x', 'B', '2'])).toEqual(['A', '1', 'B', '2']);
});

test('order, case and repetitions of all other headers are kept', () => {
  const headers = [
    'X-B',
    '1',
    'x-a',
    '2',
    'X-B',
    '3',
    'Content-Length',
    '4',
    'Set-Cookie',
    'a',
    'Set-Cookie',
    'b',
  ];

  expect(endToEndHeaders(headers)).toEqual(headers);
});

test('headers named in Connection are dropped, however they are written', () => {
  const headers = [
    'X-Hop',
    '1',
    'Connection',
    'close, x-hop',
    'connection',
    'X-Other',
    'x_other',
    '2',
    'Kept',
    '3',
  ];

  expect(endToEndHeaders(headers)).toEqual(['Kept', '3']);
});

test('Connection cannot take away Content-Length or Host', () => {
  const headers = ['Connection', 'content-length, host', 'Host', 'h', 'Content-Length', '3'];

  expect(endToEndHeaders(headers)).toEqual(['Host', 'h', 'Content-Length', '3']);
});

test('headers that the caller replaces are dropped with their look-alikes', () => {
  const headers = ['AUTHORIZATION', 'a', 'x-my_token', 'b', 'X-My-Token', 'c', 'Kept', 'd'];

  expect(endToEndHeaders(headers, new Set(['authorization', 'x-my-token']))).toEqual(['Kept', 'd']);
});
