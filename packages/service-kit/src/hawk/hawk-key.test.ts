import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HawkKey } from './hawk-key.ts';

test('its MAC is that of Node’s Hmac, for secrets and texts of any length and alphabet', () => {
  const secret = fc.string({ unit: 'grapheme', maxLength: 200 });
  const text = fc.string({ unit: 'grapheme', maxLength: 500 });
  const repetitions = fc.constantFrom(1, 1, 1, 100);
  fc.assert(
    fc.property(secret, text, repetitions, (key, part, count) => {
      const whole = part.repeat(count);
      expect(new HawkKey(key).mac(whole)).toBe(createHmac('sha256', key).update(whole).digest('base64'));
    }),
    { numRuns: 500 },
  );
});

test.each([0, 63, 64, 65, 1_000])('so is that of a secret of %d bytes', (length) => {
  const secret = 'k'.repeat(length);

  expect(new HawkKey(secret).mac('text')).toBe(createHmac('sha256', secret).update('text').digest('base64'));
});
