import { expect, test } from '@jest/globals';
import { parseSecrets, parseVariables } from './name-value.ts';

test('a variable may have equals signs in its value, and an empty one', () => {
  expect(parseVariables(['A=b=c', 'EMPTY='])).toEqual({ A: 'b=c', EMPTY: '' });
});

test('of two values for one variable the last one counts', () => {
  expect(parseVariables(['A=1', 'A=2'])).toEqual({ A: '2' });
});

test.each(['NAME', '=value', ''])('--env %j is refused with an example', (value) => {
  expect(() => parseVariables([value])).toThrow('--env wants NAME=VALUE, as in --env GREETING=hello.');
});

test('a secret is a JSON object', () => {
  expect(parseSecrets(['project/a={"key":"a=b"}'])).toEqual(new Map([['project/a', { key: 'a=b' }]]));
});

test('a secret without a value is refused with an example', () => {
  expect(() => parseSecrets(['project/a'])).toThrow('--secret wants NAME=JSON, as in');
});

test.each(['hunter2', '"hunter2"', '["hunter2"]', 'null', '{"key": hunter2}'])(
  'the secret %s is refused, and its value is not in the message',
  (value) => {
    const parse = () => parseSecrets([`project/a=${value}`]);

    expect(parse).toThrow('--secret project/a=…: the value');
    expect(parse).not.toThrow('hunter2');
  },
);
