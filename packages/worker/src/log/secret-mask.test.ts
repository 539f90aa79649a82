import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { secretForms, secretValues } from './secret-forms.ts';
import { SecretMask } from './secret-mask.ts';

function maskOf(...secrets: string[]): SecretMask {
  const mask = new SecretMask();
  mask.learn(secrets);
  return mask;
}

function masked(mask: SecretMask, chunks: Buffer[]): string {
  return Buffer.concat([...chunks.map((chunk) => mask.push(chunk)), mask.flush()]).toString('latin1');
}

function cut(bytes: Buffer, places: number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const secret = 'hXgk_Zt9Q0mB3v-LLnW7aw8u5pQe2rYsD4cF6iJ1kTo';

test('a secret is replaced wherever a text of 1 KiB is cut', () => {
  const text = Buffer.from(`${'x'.repeat(500)}${secret}${'y'.repeat(500)}`);
  const mask = maskOf(secret);
  for (let place = 0; place <= text.length; place++) {
    expect(masked(mask, cut(text, [place]))).toBe(`${'x'.repeat(500)}[redacted]${'y'.repeat(500)}`);
  }
});

test('no form of a secret comes out of any text in any chunks, and nothing else is touched', () => {
  const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
  // Beginnings of secrets, so that the automaton falls back from every state.
  const nearly = fc.nat(secret.length - 1).map((length) => Buffer.from(secret.slice(0, length)));
  const form = fc.constantFrom(...secretForms(secret)).map((text) => Buffer.from(text));
  const mask = maskOf(secret);
  const pieces = fc.array(fc.oneof(noise, nearly, form), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(2_000), { maxLength: 20 }), (parts, places) => {
      const text = Buffer.concat(parts);
      const whole = text.toString('latin1');
      const result = masked(mask, cut(text, places));

      for (const each of secretForms(secret)) {
        expect(result).not.toContain(each);
      }
      expect(result).toBe(masked(mask, [text]));
      if (!secretForms(secret).some((each) => whole.includes(each))) {
        expect(result).toBe(whole);
      }
    }),
    { numRuns: 10_000 },
  );
}, 60_000);

test('any secret is found in its base64 whatever stands around it there, with padding or without', () => {
  const binary = fc.uint8Array({ maxLength: 8 });
  fc.assert(
    fc.property(fc.string({ minLength: 9, maxLength: 40 }), binary, binary, (value, before, after) => {
      const mask = maskOf(value);
      const encoded = Buffer.concat([before, Buffer.from(value), after]).toString('base64');
      for (const text of [
        encoded,
        encoded.replace(/=+$/, ''),
        encoded.replace(/\+/g, '-').replace(/\//g, '_'),
      ]) {
        expect(masked(mask, [Buffer.from(text)])).toContain('[redacted]');
      }
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['in a URL', 'p@ss word/1', 'https://h/?q=p%40ss%20word%2F1', 'https://h/?q=[redacted]'],
  ['in a URL with small hexadecimal digits', 'p@ss word/1', 'p%40ss%20word%2f1', '[redacted]'],
  ['in a form', 'p@ss word/1', 'q=p%40ss+word%2F1', 'q=[redacted]'],
  ['in JSON', 'say "so"\\', '{"a":"say \\"so\\"\\\\"}', '{"a":"[redacted]"}'],
  ['of two lines on a terminal', 'line one\nline two', 'a line one\r\nline two b', 'a [redacted] b'],
  ['of two lines on one', 'line one\nline two', 'a line one line two b', 'a [redacted] b'],
  ['twice in a row', 'abcdef', 'abcdefabcdef', '[redacted]'],
])('a secret is replaced %s', (_where, value, text, expected) => {
  expect(masked(maskOf(value), [Buffer.from(text)])).toBe(expected);
});

test('of secrets that overlap or hold each other no part comes out', () => {
  const mask = maskOf('abcdefgh', 'efghijkl', 'abcdef');

  expect(masked(mask, [Buffer.from('-abcdefghijkl-abcdefg-')])).toBe('-[redacted]-[redacted]g-');
});

test('what cannot become a secret is given out at once', () => {
  const mask = maskOf(secret);

  expect(mask.push(Buffer.from('password: ')).toString()).toBe('password: ');
  expect(mask.push(Buffer.from(secret.slice(0, 10))).toString()).toBe('');
  expect(mask.push(Buffer.from('!')).toString()).toBe(`${secret.slice(0, 10)}!`);
});

test('what follows a secret that is held back is not taken for a part of it', () => {
  const mask = maskOf('aa-abcdef', 'abcdef-and-more');

  expect(
    Buffer.concat([mask.push(Buffer.from('-aa-abcdef')), mask.push(Buffer.from('-and no'))]).toString(),
  ).toBe('-[redacted]-and no');
  expect(maskOf('secret', 'xsecret-and-more').push(Buffer.from('x')).toString()).toBe('');
});

test('a secret that is learnt late is found in what is held back', () => {
  const mask = maskOf('abcdefgh');

  expect(mask.push(Buffer.from('abcdef')).toString()).toBe('');
  mask.learn(['abcdefxyz']);
  expect(mask.push(Buffer.from('xyz')).toString()).toBe('[redacted]');
});

test('values too short to mask are counted and left alone', () => {
  const mask = new SecretMask();

  expect(mask.learn(['short', '', 'long enough'])).toBe(1);
  expect(masked(mask, [Buffer.from('short')])).toBe('short');
});

test('the secrets of a configuration are what its keys say', () => {
  const certificate = JSON.stringify({ version: 1, signature: 'the-signature' });

  expect(
    secretValues({
      credentials: { clientId: 'me', accessToken: 'token-1', certificate },
      routes: [{ auth: { token: 'token-2' } }],
      issuingToken: 'token-3',
      upstream: 'https://h',
      password: undefined,
    }),
  ).toEqual(['token-1', 'the-signature', 'token-2', 'token-3']);
});
