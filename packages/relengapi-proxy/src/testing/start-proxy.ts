import type { Registry } from '@docker-worker/service-kit';
import { testContext } from '@docker-worker/service-kit/testing/service-context';
import type { z } from 'zod';
import { RelengapiConfig } from '../relengapi-config.ts';
import { start } from '../start.ts';
import type { RelengapiStandIn } from './relengapi-stand-in.ts';

export interface TestProxy extends AsyncDisposable {
  port: number;
  log(): string;
  metrics: Registry;
  health(): Promise<object>;
}

/** The proxy in this process, configured as the worker does it. */
export async function startProxy(config: z.input<typeof RelengapiConfig>): Promise<TestProxy> {
  const context = testContext('relengapi-proxy');
  const service = await start(RelengapiConfig.parse({ port: 0, address: '127.0.0.1', ...config }), context);
  return {
    port: service.port,
    log: context.log,
    metrics: context.metrics,
    health: async () => (await service.health?.()) ?? {},
    async [Symbol.asyncDispose]() {
      await Promise.race([service.drain(), new Promise((resolve) => setImmediate(resolve))]);
      await service.destroy();
    },
  };
}

/** One route for everything, to the stand-in, with its tokens. */
export function standInConfig(
  standIn: RelengapiStandIn,
  permissions: string[] = ['tooltool.download.public'],
): z.input<typeof RelengapiConfig> {
  return {
    scopes: permissions.map((permission) => `docker-worker:relengapi-proxy:${permission}`),
    issuingToken: standIn.issuingToken,
    settings: {
      routes: [
        {
          prefix: '/',
          upstream: standIn.url,
          auth: { provider: 'relengapi-tmp-token', issuer: `${standIn.url}/tokenauth/tokens` },
        },
      ],
    },
  };
}
