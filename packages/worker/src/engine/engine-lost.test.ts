import { expect, test } from '@jest/globals';
import { EngineLost, isEngineLost, removedOrLost } from './engine-lost.ts';

const loss = new EngineLost('gone');
const other = new Error('other');

test.each<[string, unknown, boolean]>([
  ['itself', loss, true],
  ['a cause', new Error('a', { cause: new Error('b', { cause: loss }) }), true],
  ['suppressed by a failure of disposal', new SuppressedError(other, loss), true],
  ['a failure of disposal that suppresses another', new SuppressedError(loss, other), true],
  ['deep in suppressed errors', new SuppressedError(other, new SuppressedError(other, loss)), true],
  ['one of several', new AggregateError([other, new SuppressedError(other, loss)]), true],
  ['of another kind', other, false],
  ['several of another kind', new AggregateError([other, new SuppressedError(other, other)]), false],
  ['no error', 'text', false],
])('the loss of an engine is found as %s', (_, error, expected) => {
  expect(isEngineLost(error)).toBe(expected);
});

test('what cannot be removed is an error, unless the engine is lost', async () => {
  const [there, lost] = [new AbortController().signal, AbortSignal.abort(loss)];

  await expect(removedOrLost({ lost: there }, Promise.reject(other))).rejects.toBe(other);
  await expect(removedOrLost({ lost: there }, Promise.reject(loss))).resolves.toBeUndefined();
  await expect(removedOrLost({ lost }, Promise.reject(other))).resolves.toBeUndefined();
});
