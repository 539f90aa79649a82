import {
  createUpstreamDispatcher,
  listen,
  RequestMetrics,
  type RunningService,
  type ServiceContext,
  ServiceError,
  Tunnels,
} from '@docker-worker/service-kit';
import { Gate } from './forward/gate.ts';
import { httpTarget } from './forward/http-target.ts';
import { probeUpstream } from './forward/probe-upstream.ts';
import { upstreamLookup } from './forward/upstream-lookup.ts';
import { createVpnProxyApp } from './forward/vpn-proxy-app.ts';
import type { Tunnel } from './tunnel/tunnel.ts';
import type { VpnProxyConfig } from './vpn-config.ts';

/** Opens the port and the tunnel; needs no privileges. */
export async function serve(
  config: VpnProxyConfig & { upstream: string },
  context: ServiceContext,
  tunnel: Tunnel,
): Promise<RunningService> {
  const { logger, announce, stopping } = context;
  const target = httpTarget(config.upstream);
  const lookup = upstreamLookup(config.resolve, () => tunnel.dns);
  let dispatcher = makeDispatcher();
  const tunnels = new Tunnels();
  const gate = new Gate({
    tunnel,
    logger,
    probe: (signal) => probeUpstream(target, config.probe, { dispatcher, signal }),
    onShut() {
      const old = dispatcher;
      dispatcher = makeDispatcher();
      void tunnels.cut();
      old.destroy(new Error('the tunnel is down')).catch(() => {});
    },
  });
  const app = createVpnProxyApp({
    target,
    gate,
    dispatcher: () => dispatcher,
    tunnels,
    metrics: new RequestMetrics(context.metrics),
    logger,
  });
  const port = await listen(app, config.port, config.address);
  announce(`Forwarding to ${target.origin}${target.base}, tunnel: ${config.tunnel}`);
  announce(`Serving on ${config.address ?? 'all interfaces'} port ${port}`);
  tunnel.open();

  const service: RunningService = {
    port,
    isReady: () => gate.isOpen,
    health: () => gate.state,
    drain: async () => {
      await app.close();
    },
    async destroy() {
      gate.close();
      void tunnels.cut();
      app.server.closeAllConnections();
      await dispatcher.destroy();
    },
  };
  if (config.waitSeconds > 0) {
    await gate.opened(config.waitSeconds, stopping).catch(async (error: Error) => {
      const closed = app.close();
      await service.destroy();
      await closed;
      throw new ServiceError(error.message);
    });
  }
  return service;

  function makeDispatcher() {
    return createUpstreamDispatcher({
      ca: config.ca,
      connectTimeoutMs: config.connectTimeout * 1000,
      headersTimeoutMs: config.headersTimeout * 1000,
      lookup,
    });
  }
}
