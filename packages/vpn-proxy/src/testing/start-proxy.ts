import { testContext } from '@docker-worker/service-kit/testing/service-context';
import type { z } from 'zod';
import { serve } from '../serve.ts';
import { directWay } from '../tunnel/tunnel.ts';
import { VpnProxyConfig } from '../vpn-config.ts';

export interface TestProxy extends AsyncDisposable {
  port: number;
  log(): string;
  /** Resolves when the way to the upstream is open. */
  isOpen(): boolean;
}

type Settings = z.input<typeof VpnProxyConfig> & { upstream: string };

/** The proxy without a tunnel, in this process; resolves when the upstream has answered the probe. */
export async function startProxy(config: Settings): Promise<TestProxy> {
  const context = testContext('vpn-proxy');
  const parsed = VpnProxyConfig.parse({ port: 0, address: '127.0.0.1', waitSeconds: 10, ...config });
  const service = await serve({ ...parsed, upstream: config.upstream }, context, directWay());
  return {
    port: service.port,
    log: context.log,
    isOpen: () => service.isReady?.() ?? false,
    async [Symbol.asyncDispose]() {
      const drained = service.drain();
      await service.destroy();
      await drained;
    },
  };
}
