import { expect, test } from '@jest/globals';
import type Docker from 'dockerode';
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

test('what cannot be removed is an error, unless the engine is lost or about to be', async () => {
  const [there, lost] = [new AbortController().signal, AbortSignal.abort(loss)];
  const docker = (answer: Promise<string>) => ({ ping: () => answer }) as unknown as Docker;
  const refused = Object.assign(new Error('in use'), { statusCode: 409 });
  let tries = 0;
  const failing = (error: Error) => async () => {
    tries += 1;
    throw error;
  };

  await expect(
    removedOrLost({ docker: docker(Promise.resolve('OK')), lost: there }, failing(refused)),
  ).rejects.toBe(refused);
  await removedOrLost({ docker: docker(Promise.resolve('OK')), lost: there }, failing(loss));
  await removedOrLost({ docker: docker(Promise.resolve('OK')), lost }, failing(other));
  await removedOrLost({ docker: docker(Promise.reject(other)), lost: there }, failing(other));
  expect(tries).toBe(4);

  // The connection that failed was only its own.
  await expect(
    removedOrLost({ docker: docker(Promise.resolve('OK')), lost: there }, failing(other)),
  ).rejects.toBe(other);
  expect(tries).toBe(6);
});
