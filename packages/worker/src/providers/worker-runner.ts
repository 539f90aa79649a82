import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { type ConfigDocument, parseConfig } from '../config-file/read-config.ts';
import type { Provider } from './provider.ts';
import { RunnerProtocol } from './runner-protocol.ts';

/** How long a runner may take to end us after we have asked for it. */
const runnerPatienceMs = 60_000;

/**
 * A worker that start-worker has started: the configuration is the file that it wrote, new credentials and
 * notices of termination come as messages on standard input.
 */
export function workerRunner(
  document: ConfigDocument,
  { stdin, stdout }: { stdin: Readable; stdout: Writable } = process,
): Provider {
  const parsed = parseConfig(document);
  const protocol = new RunnerProtocol(stdin, stdout);
  return {
    ...parsed,
    follow(worker, logger) {
      protocol.onMessage((message) => {
        switch (message.type) {
          case 'new-credentials':
            parsed.config.taskcluster = message.credentials;
            logger.info('Credentials updated');
            break;
          case 'graceful-termination':
            logger.info({ finishTasks: message['finish-tasks'] }, 'graceful termination');
            worker[message['finish-tasks'] ? 'drain' : 'abort']();
            break;
        }
      });
    },
    workerIdle() {},
    alert: (alert) => protocol.reportError(alert),
    async workerEnded() {
      if (await protocol.shutdown()) {
        const waiting = new AbortController();
        await Promise.race([
          protocol.closed,
          setTimeout(runnerPatienceMs, undefined, { signal: waiting.signal }).catch(() => {}),
        ]);
        waiting.abort();
      }
    },
    async [Symbol.asyncDispose]() {
      protocol[Symbol.dispose]();
      stdin.destroy();
    },
  };
}
