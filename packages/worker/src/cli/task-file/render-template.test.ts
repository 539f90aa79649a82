import { expect, test } from '@jest/globals';
import { renderTemplate } from './render-template.ts';

test('what is no template is as it was, braces of shells included', () => {
  const document = { image: 'a', command: ['sh', '-c', `echo \${HOME} \${x:-y}`], env: { $: 'b' } };

  expect(renderTemplate(document, undefined)).toEqual({ content: document });
});

test('times from now are made of definitions that are no templates as well', () => {
  const document = {
    deadline: { $fromNow: '1 hour' },
    payload: { command: [`\${HOME}`], list: [{ $fromNow: '' }] },
  };

  expect(renderTemplate(document, undefined)).toEqual({
    content: {
      deadline: expect.stringMatching(/^20\d\d-.*Z$/),
      payload: { command: [`\${HOME}`], list: [expect.stringMatching(/^20\d\d-.*Z$/)] },
    },
  });
});

test.each<[object, Record<string, unknown> | undefined, unknown]>([
  [
    { $let: { a: 'x' }, in: { image: `\${a}`, home: '$${HOME}' } },
    undefined,
    { image: 'x', home: `\${HOME}` },
  ],
  [{ image: { $switch: { 'branch == "main"': 'a', $default: 'b' } } }, { branch: 'main' }, { image: 'a' }],
  [{ command: { $map: ['a', 'b'], 'each(x)': `--\${x}` } }, undefined, { command: ['--a', '--b'] }],
  [{ image: `debian:\${version}` }, { version: '12' }, { image: 'debian:12' }],
])('%j is rendered', (document, context, content) => {
  expect(renderTemplate(document, context)).toEqual({ content });
});

test.each<[object, RegExp, PropertyKey[]]>([
  [
    { payload: { $let: {}, in: 'x' }, env: { 'a b': [`\${branch}`] } },
    /^not valid JSON-e: unknown context value branch; give it by --context branch=VALUE/,
    ['env', 'a b', 0],
  ],
  [{ image: { $eval: '1 + )' } }, /^not valid JSON-e: /, ['image']],
  // The library does not say where.
  [{ image: { $eval: '1 +' } }, /^not valid JSON-e: an expression ends too early/, []],
  [{ image: { $if: 'true', than: 'a' } }, /^not valid JSON-e: .*than/, ['image']],
])('an error in %j has its place', (document, message, keys) => {
  expect(renderTemplate(document, undefined)).toEqual({
    problem: expect.objectContaining({ message: expect.stringMatching(message), keys }),
  });
});
