import type { ConfigDocument } from '../config-file/read-config.ts';
import { parseConfig } from '../config-file/read-config.ts';
import type { Provider } from './provider.ts';

/** A worker on a machine that somebody else looks after, with credentials that do not change. */
export function standalone(document: ConfigDocument): Provider {
  return {
    ...parseConfig(document),
    follow() {},
    workerIdle() {},
    alert() {},
    async workerEnded() {},
    async [Symbol.asyncDispose]() {},
  };
}
