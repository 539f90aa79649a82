import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { terminalLog } from './terminal-log.ts';

test('a person reads what is wrong on one line, without a stack', () => {
  let text = '';
  const logger = pino(
    {},
    terminalLog({
      write(line) {
        text += line;
      },
    }),
  );

  logger.error({ err: new Error('no space left\nat all'), taskId: 'a' }, 'the log could not be kept');
  logger.warn('slow');

  expect(text).toBe('worker: error: the log could not be kept: no space left\nworker: warning: slow\n');
});
