import { expect, test } from '@jest/globals';
import { toHtml } from '../server/to-html.ts';
import { h } from './markup.ts';

test('text and attributes are never markup', () => {
  const name = `"><script>alert('1')</script>&`;

  const html = toHtml(h('a', { title: name, href: '/x' }, name));

  expect(html).not.toContain('<script');
  expect(html).toBe(
    '<a title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;" href="/x">' +
      '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</a>',
  );
});

test.each([
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'data:text/html,x',
  '//elsewhere.example/',
  'x',
  '',
])('an address that could run something, or that leads elsewhere unsaid, is left out: %j', (address) => {
  expect(h('a', { href: address }, 'x').attributes).toEqual({});
  expect(h('iframe', { src: address }).attributes).toEqual({});
  expect(h('form', { action: address }).attributes).toEqual({});
});

test('what is absent leaves nothing', () => {
  expect(
    toHtml(h('p', { hidden: true, id: undefined, title: false }, undefined, false, '', ['a', ['b']])),
  ).toBe('<p hidden="">ab</p>');
});
