import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ImageReference, isRegistryPrefix, parseImageReference, withTag } from './image-reference.ts';

const sha256 = `sha256:${'0123456789abcdef'.repeat(4)}`;

test.each<[string, ImageReference]>([
  ['ubuntu', { path: 'ubuntu' }],
  ['ubuntu:24.04', { path: 'ubuntu', tag: '24.04' }],
  ['library/ubuntu', { path: 'library/ubuntu' }],
  ['a/b/c/d:Tag_1.2-3', { path: 'a/b/c/d', tag: 'Tag_1.2-3' }],
  ['localhost/a', { domain: 'localhost', path: 'a' }],
  ['localhost:5000/a/b', { domain: 'localhost:5000', path: 'a/b' }],
  ['example.com/a', { domain: 'example.com', path: 'a' }],
  ['EXAMPLE/a', { domain: 'EXAMPLE', path: 'a' }],
  ['[::1]:5000/a:1', { domain: '[::1]:5000', path: 'a', tag: '1' }],
  ['xn--n3h.com/a', { domain: 'xn--n3h.com', path: 'a' }],
  [`ubuntu@${sha256}`, { path: 'ubuntu', digest: sha256 }],
  [`example.com/a:1@${sha256}`, { domain: 'example.com', path: 'a', tag: '1', digest: sha256 }],
  ['a.b_c__d---e', { path: 'a.b_c__d---e' }],
  ['docker:5000', { path: 'docker', tag: '5000' }],
  [`a:${'t'.repeat(128)}`, { path: 'a', tag: 't'.repeat(128) }],
  ['a'.repeat(255), { path: 'a'.repeat(255) }],
])('%s is a name of an image', (text, expected) => {
  expect(parseImageReference(text)).toEqual(expected);
});

test.each([
  'a/../../169.254.169.254/latest/meta-data/iam',
  ...['http://x', 'https://example.com/a', '', ' ', 'a b', ' a', 'a\n', 'a/', '/a', 'a//b', '.', '..', './a'],
  ...[
    '-v',
    '--privileged',
    'A',
    'a/B',
    'a:',
    'a:b:c',
    'a@',
    'a@b',
    'a@sha256:abc',
    'a.',
    '.a',
    'a..b',
    'a___b',
  ],
  ...[
    'a_',
    '-a',
    'a:-b',
    'a?b',
    'a#b',
    'a%2e',
    'a\\b',
    'ä',
    'a\0',
    'user:pass@host/a',
    'host:port/a',
    '@',
    ':',
  ],
  ...['[::1', '[::1]', `a@md5:${'0'.repeat(32)}`, sha256, sha256.slice(7), `a@${sha256.toUpperCase()}`],
  ...[
    'a'.repeat(256),
    `a:${'t'.repeat(129)}`,
    'example.com/a?x=/b',
    '__proto__',
    'constructor.',
    'example.com:/a',
  ],
])('%j is no name of an image', (text) => {
  expect(parseImageReference(text)).toBeUndefined();
});

test('a name is what it was put together from', () => {
  const component = fc
    .stringMatching(/^[a-z0-9]+((_|__|\.|-+)[a-z0-9]+)*$/)
    .filter((text) => text.length < 60);
  const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const reference = fc.record(
    {
      domain: fc.constantFrom('localhost', 'example.com', 'a-b.example:8080', 'X', '[2001:db8::1]'),
      path,
      tag: fc.stringMatching(/^\w[\w.-]{0,20}$/),
      digest: fc.constant(sha256),
    },
    { requiredKeys: ['path', 'domain'], noNullPrototype: true },
  );
  fc.assert(
    fc.property(reference, ({ domain, path, tag, digest }) => {
      const text = [`${domain}/${path}`, tag && `:${tag}`, digest && `@${digest}`].join('');

      expect(parseImageReference(text)).toEqual({ domain, path, tag, digest });
    }),
  );
});

test.each([
  ['a', 'a:latest'],
  ['a:b', 'a:b'],
  ['localhost:5000/a', 'localhost:5000/a:latest'],
  [`a@${sha256}`, `a@${sha256}`],
])('%s is pulled as %s', (name, tagged) => {
  expect(withTag(name)).toBe(tagged);
});

test.each([
  'example.com',
  'example.com/',
  'example.com:5000/team',
  '[::1]:5000',
  'localhost/a/b',
  'hub/user',
])('%s is a registry', (text) => expect(isRegistryPrefix(text)).toBe(true));

test.each([
  '',
  '/',
  'https://example.com',
  'example.com/..',
  'example.com/A',
  'a b',
  'example.com//a',
  'a@b',
  'a?b',
])('%j is no registry', (text) => expect(isRegistryPrefix(text)).toBe(false));
