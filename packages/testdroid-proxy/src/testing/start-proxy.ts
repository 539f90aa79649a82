import { testContext } from '@docker-worker/service-kit/testing/service-context';
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
  const context = testContext('testdroid-proxy');
  for (const secret of [config.apiKey, config.password, config.credentials?.accessToken])
    context.learnSecret(secret);
  const service = await start(
    TestdroidConfig.parse({
      ...{ port: 0, address: '127.0.0.1', sessionPauseSeconds: 0.02, proxyPauseSeconds: 0.02 },
      ...{ attemptPauseSeconds: 0.02, ...config },
    }),
    context,
  );
  return {
    url: `http://127.0.0.1:${service.port}`,
    log: context.log,
    events: context.events as SessionEvent[],
    drain: () => service.drain(),
    async [Symbol.asyncDispose]() {
      await service.drain();
      await service.destroy();
    },
  };
}
