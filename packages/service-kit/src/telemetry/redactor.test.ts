import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Redactor, redactFields } from './redactor.ts';
import { createLogger } from './service-logger.ts';

test('a learnt secret never comes out, wherever it stands in the text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string({ minLength: 6 }), (before, after, secret) => {
      const redactor = new Redactor();
      redactor.learn(secret);
      // Neighbouring text could form the secret anew around its own replacement only if it holds parts of it.
      fc.pre(!`${before}[redacted]${after}`.includes(secret));

      expect(redactor.redact(`${before}${secret}${after}`)).not.toContain(secret);
    }),
  );
});

test.each([
  ['GET https://h.example/a/b?x=1&bewit=abc done', 'GET https://h.example/a/b?[redacted] done'],
  ['see /path?bewit=abc&c', 'see /path?bewit=[redacted]&c'],
  ['Authorization: Hawk id="me", ts="1", mac="zzz=" end', 'Authorization: Hawk [redacted] end'],
  ['Bearer abc.def', 'Bearer [redacted]'],
  ['nothing secret: https://h.example/a', 'nothing secret: https://h.example/a'],
])('%s', (text, redacted) => {
  expect(new Redactor().redact(text)).toBe(redacted);
});

test('values under the name of a secret are replaced at any depth', () => {
  const fields = {
    a: [{ headers: { Authorization: 'x', 'set-cookie': 'y', host: 'h' } }],
    access_token: 'z',
  };

  expect(redactFields(fields)).toEqual({
    a: [{ headers: { Authorization: '[redacted]', 'set-cookie': '[redacted]', host: 'h' } }],
    access_token: '[redacted]',
  });
});

test('a log line holds no secret, neither in fields nor in messages nor in errors', () => {
  const redactor = new Redactor();
  redactor.learn('canary"secret');
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) };
  const logger = createLogger({ name: 'test', level: 'info', redactor, stream });

  logger.info({ note: 'canary"secret', certificate: 'c' }, 'with canary"secret');
  logger.error({ err: new Error('canary"secret') }, 'failed');

  expect(lines.join('')).not.toMatch(/canary/);
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['info', 'error']);
});
