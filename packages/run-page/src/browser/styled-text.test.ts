import { expect, test } from '@jest/globals';
import { styledText } from './styled-text.ts';

const textOf = (line: string) =>
  styledText(line)
    .map(({ text }) => text)
    .join('');

test('colours become classes, or colours of their own where there is no name for them', () => {
  expect(styledText('a\x1b[1;31mb\x1b[0m\x1b[38;5;208mc\x1b[48;2;1;2;3md')).toEqual([
    { text: 'a', classes: [], color: undefined, background: undefined },
    { text: 'b', classes: ['ansi-red-fg', 'ansi-bold'], color: undefined, background: undefined },
    { text: 'c', classes: [], color: 'rgb(255, 135, 0)', background: undefined },
    { text: 'd', classes: [], color: 'rgb(255, 135, 0)', background: 'rgb(1, 2, 3)' },
  ]);
});

test('markup stays text, and what no line shows is taken out', () => {
  expect(textOf('<script>alert(1)</script>&amp;')).toBe('<script>alert(1)</script>&amp;');
  expect(textOf('\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1bcc\x00\x08d')).toBe('abcd');
  expect(textOf('\x1b[2K\x1b[1Gdone')).toBe('done');
});

test.each(['\x1b', '\x1b[', '\x1b[38;2;', '\x1b[999999m', '\x1b[38;5;999mx', '\x1b]', '\x1b[31'])(
  'an escape sequence that is none harms nothing: %j',
  (line) => {
    expect(() => styledText(line)).not.toThrow();
    for (const { color = 'rgb(0, 0, 0)', background = 'rgb(0, 0, 0)' } of styledText(line)) {
      expect([color, background].join()).toMatch(/^rgb\([\d., ]+\),rgb\([\d., ]+\)$/);
    }
  },
);
