import { createLogger, Redactor, Registry } from '@docker-worker/service-kit';
import type { z } from 'zod';
import type { SessionEvent } from '../session-events.ts';
import { start } from '../start.ts';
import { TestdroidConfig } from '../testdroid-config.ts';

export interface TestProxy extends AsyncDisposable {
  url: string;
  log(): string;
  /** What the worker was told, in order. */
  events: SessionEvent[];
  /** As the end of its input does. */
  drain(): Promise<void>;
}

/** The proxy in this process, without the pauses that a real cloud needs. */
export async function startProxy(config: z.input<typeof TestdroidConfig>): Promise<TestProxy> {
  const redactor = new Redactor();
  for (const secret of [config.apiKey, config.password, config.credentials?.accessToken])
    if (secret !== undefined) redactor.learn(secret);
  const events: SessionEvent[] = [];
  let log = '';
  const write = (line: string) => {
    log += line;
  };
  const logger = createLogger({ name: 'testdroid-proxy', level: 'debug', redactor, stream: { write } });
  const service = await start(
    TestdroidConfig.parse({
      ...{ port: 0, address: '127.0.0.1', sessionPauseSeconds: 0.02, proxyPauseSeconds: 0.02 },
      ...{ attemptPauseSeconds: 0.02, ...config },
    }),
    {
      logger,
      metrics: new Registry(),
      version: '9.8.7',
      revision: 'abcdef',
      standalone: false,
      stopping: new AbortController().signal,
      announce: (fact) => logger.info({ fact }, 'start-up'),
      emit: (event) => void events.push(event as SessionEvent),
      learnSecret: (secret) => redactor.learn(secret),
    },
  );
  return {
    url: `http://127.0.0.1:${service.port}`,
    log: () => log,
    events,
    drain: () => service.drain(),
    async [Symbol.asyncDispose]() {
      await service.drain();
      await service.destroy();
    },
  };
}
