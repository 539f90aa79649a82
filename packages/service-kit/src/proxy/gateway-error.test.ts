import { expect, test } from '@jest/globals';
import { gatewayError } from './gateway-error.ts';

const request = { method: 'GET', host: 'tc.example.com' };

test.each([
  ['ECONNREFUSED', 502, 'UpstreamRefused'],
  ['ECONNRESET', 502, 'UpstreamClosed'],
  ['UND_ERR_SOCKET', 502, 'UpstreamClosed'],
  ['ENOTFOUND', 502, 'UpstreamNotFound'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 502, 'UpstreamCertificateRejected'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 502, 'UpstreamCertificateRejected'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 502, 'UpstreamCertificateRejected'],
  ['CERT_HAS_EXPIRED', 502, 'UpstreamCertificateRejected'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 502, 'UpstreamTlsFailed'],
  ['UND_ERR_CONNECT_TIMEOUT', 504, 'UpstreamTimeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 504, 'UpstreamTimeout'],
  ['ETIMEDOUT', 504, 'UpstreamTimeout'],
  ['SOMETHING_ELSE', 502, 'UpstreamFailed'],
])('%s becomes %d %s', (code, statusCode, name) => {
  const answer = gatewayError(Object.assign(new Error('x'), { code }), request);

  expect(answer.statusCode).toBe(statusCode);
  expect(answer.body).toMatchObject({ code: name, requestInfo: { method: 'GET', params: {}, payload: {} } });
  expect(answer.body.message).toMatch(/^tc\.example\.com .*\(.*\)$/);
});

test('the reason is found below wrappers', () => {
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });

  expect(gatewayError(new AggregateError([refused]), request).body.code).toBe('UpstreamRefused');
  expect(gatewayError(new Error('outer', { cause: refused }), request).body.code).toBe('UpstreamRefused');
});

test('the message of the error, which may quote a URL with a secret, is not shown', () => {
  const answer = gatewayError(new Error('failed: https://x.example/?bewit=secret'), request);

  expect(JSON.stringify(answer)).not.toContain('secret');
});
