import { expect, test } from '@jest/globals';
import { parseCommand } from './cli-options.ts';

test('flags become options', () => {
  const args = ['--port', '8400', '--host', '0.0.0.0', '--data', '/tmp/x', '--root-url', 'http://tc:8400'];

  expect(parseCommand([...args, '--claim-seconds', '2.5', '--long-poll-seconds', '1'])).toEqual({
    action: 'run',
    withPage: false,
    options: {
      anonymous: true,
      port: 8400,
      host: '0.0.0.0',
      dataDir: '/tmp/x',
      rootUrl: 'http://tc:8400',
      claimSeconds: 2.5,
      longPollSeconds: 1,
    },
  });
});

test.each([
  ['--port', 'abc'],
  ['--port', '70000'],
  ['--port', '1.5'],
  ['--root-url', 'somewhere'],
  ['--root-url', 'ftp://example.com'],
  ['--claim-seconds', '0'],
  ['--claim-seconds', '-1'],
  ['--data', ''],
  ['--nonsense', 'x'],
])('%s %s is refused by name', (flag, value) => {
  expect(() => parseCommand([`${flag}=${value}`])).toThrow(flag);
});

test('words that belong to no flag are refused', () => {
  expect(() => parseCommand(['serve'])).toThrow("Unexpected argument 'serve'");
});

test('all wrong values are named at once', () => {
  expect(() => parseCommand(['--port=x', '--claim-seconds=y'])).toThrow(/--port.*\n--claim-seconds/);
});
