import { EventEmitter, once } from 'node:events';
import { Registry } from 'prom-client';
import type { ServiceContext } from '../service/service.ts';
import { Redactor } from '../telemetry/redactor.ts';
import { createLogger } from '../telemetry/service-logger.ts';

export interface TestContext extends ServiceContext {
  /** All that was logged, without secrets. */
  log(): string;
  /** Resolves when the log contains the text. */
  logHas(text: string): Promise<void>;
  /** What the worker was told, in order. */
  events: unknown[];
}

/** What a service, or a part of it, is given when it runs in the process of its test. */
export function testContext(name: string): TestContext {
  const redactor = new Redactor();
  const written = new EventEmitter();
  const events: unknown[] = [];
  let log = '';
  const write = (line: string) => {
    log += line;
    written.emit('line');
  };
  const logger = createLogger({ name, level: 'debug', redactor, stream: { write } });
  return {
    logger,
    metrics: new Registry(),
    version: '9.8.7',
    revision: 'abcdef',
    standalone: false,
    stopping: new AbortController().signal,
    announce: (fact) => logger.info({ fact }, 'start-up'),
    emit: (event) => void events.push(event),
    learnSecret: (secret) => redactor.learn(secret),
    log: () => log,
    async logHas(text) {
      while (!log.includes(text)) await once(written, 'line');
    },
    events,
  };
}
