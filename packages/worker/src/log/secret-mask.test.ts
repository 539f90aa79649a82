import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { secretForms, secretValues, worthlessAfter } from './secret-forms.ts';
import { SecretMask } from './secret-mask.ts';

function maskOf(...secrets: string[]): SecretMask {
  const mask = new SecretMask();
  // Few are known at once.
  void mask.learn(secrets);
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
  const forms = [...secretForms(secret)];
  const form = fc.constantFrom(...forms).map((text) => Buffer.from(text));
  const mask = maskOf(secret);
  const pieces = fc.array(fc.oneof(noise, nearly, form), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(2_000), { maxLength: 20 }), (parts, places) => {
      const text = Buffer.concat(parts);
      const whole = text.toString('latin1');
      const result = masked(mask, cut(text, places));

      for (const each of forms) {
        expect(result).not.toContain(each);
      }
      expect(result).toBe(masked(mask, [text]));
      if (!forms.some((each) => whole.includes(each))) {
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

test('the ends of lines are given out at once, whatever was learnt and forgotten before', async () => {
  const mask = new SecretMask();
  for (let renewal = 0; renewal < 300; renewal++) {
    await mask.learn([text(44)], Date.now() - 1);
  }
  for (let line = 0; line < 500; line++) {
    const printed = `${line} of ${line}: ${line}!\r\n`;
    expect(mask.push(Buffer.from(printed)).toString()).toBe(printed);
  }
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
  void mask.learn(['abcdefxyz']);
  expect(mask.push(Buffer.from('xyz')).toString()).toBe('[redacted]');
});

test('values too short to mask are counted and left alone', async () => {
  const mask = new SecretMask();

  expect(await mask.learn(['short', '', 'long enough'])).toBe(1);
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

test('many secrets that hold and overlap each other are found as by looking for each of them', async () => {
  const letters = fc.stringMatching(/^[ab]{6,14}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.array(letters, { minLength: 1, maxLength: 6 }),
      fc.stringMatching(/^[ab]{0,120}$/),
      fc.array(fc.nat(200), { maxLength: 12 }),
      async (secrets, text, places) => {
        const mask = new SecretMask();
        await mask.learn(secrets);
        const isSecret = new Uint8Array(text.length);
        for (const form of secrets.flatMap((each) => [...secretForms(each)])) {
          for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
            isSecret.fill(1, at, at + form.length);
          }
        }
        const expected = [...text].map((letter, at) =>
          isSecret[at] === 0 ? letter : isSecret[at - 1] === 1 ? '' : '[redacted]',
        );

        expect(masked(mask, cut(Buffer.from(text), places))).toBe(expected.join(''));
      },
    ),
    { numRuns: 3_000 },
  );
});

test.each([
  ['one of 13,600 characters', [text(13_600)], 1],
  ['two keys of several lines', [pem(3_300), pem(3_300)], 1],
  ['one of a mebibyte', [text(1024 * 1024)], 8],
  ['10,000 that are a mebibyte together', Array.from({ length: 10_000 }, () => text(105)), 300],
])('%s: learnt in turns between which others have theirs, and found', async (_, secrets, leastTurns) => {
  const mask = new SecretMask();
  const learning = mask.learn(secrets).then(() => true);
  let turns = 0;
  for (let done = false; !done; turns++) {
    done = await Promise.race([learning, setImmediate(false)]);
  }

  expect(turns).toBeGreaterThanOrEqual(leastTurns);
  for (const each of [secrets[0], secrets.at(-1)] as string[]) {
    const printed = Buffer.from(`-${each}-${Buffer.from(each).toString('base64')}-`);
    expect(masked(mask, cut(printed, [1, 7, 1_000, 8_000]))).toMatch(
      /^-\[redacted\]-\[redacted\][\w=]{0,3}-$/,
    );
  }
});

test('of 10,000 renewals only the last are kept: what is no longer worth anything is forgotten', async () => {
  const mask = new SecretMask();
  const renew = async () => mask.learn([text(44), text(44)], Date.now() - 1);
  for (let renewal = 0; renewal < 1_000; renewal++) {
    await renew();
  }
  const few = mask.size;

  for (let renewal = 1_000; renewal < 10_000; renewal++) {
    await renew();
  }

  expect(mask.size).toBe(few);
});

test('a secret that is learnt again without an end stays', async () => {
  const mask = new SecretMask();
  await mask.learn([secret], Date.now() - 1);
  await mask.learn([secret]);
  await mask.learn(['another one']);

  expect(masked(mask, [Buffer.from(secret)])).toBe('[redacted]');
});

test('credentials are worth nothing some time after their certificate has expired, anything else always is', () => {
  const certificate = JSON.stringify({ expiry: 1_000, signature: 'the-signature' });

  expect(worthlessAfter({ clientId: 'me', accessToken: 'token-1', certificate })).toBe(1_801_000);
  expect(worthlessAfter({ clientId: 'me', accessToken: 'token-1' })).toBe(Number.POSITIVE_INFINITY);
  expect(worthlessAfter({ credentials: { certificate } })).toBe(Number.POSITIVE_INFINITY);
  expect(worthlessAfter({ certificate: '-----BEGIN' })).toBe(Number.POSITIVE_INFINITY);
});

function text(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length);
}

function pem(length: number): string {
  const lines =
    randomBytes(length)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN RSA PRIVATE KEY-----\n${lines.join('\n')}\n-----END RSA PRIVATE KEY-----\n`;
}
