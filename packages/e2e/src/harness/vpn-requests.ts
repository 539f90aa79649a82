import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { send } from '@docker-worker/service-kit/testing/send';
import type { ProxyContainer } from '@docker-worker/vpn-proxy/testing/vpn-proxy-container';
import { docker, upstreamAddress, type VpnServer } from '@docker-worker/vpn-proxy/testing/vpn-server';

export function ask(proxy: ProxyContainer, path: string, options = {}) {
  return send(proxy.port, path, { host: proxy.address, ...options });
}

/** Asks until the answer has this status; each attempt is a request of its own. */
export async function answered(proxy: ProxyContainer, path: string, status: number) {
  for (;;) {
    const answer = await ask(proxy, path);
    if (answer.status === status) {
      return answer;
    }
    await setTimeout(50);
  }
}

/** Gives the proxy's container a second interface, over which its main routes lead to the upstream. */
export async function connectAround(server: VpnServer, proxy: ProxyContainer) {
  const name = `vpn-proxy-test-${randomBytes(6).toString('hex')}`;
  await docker('network', 'create', name);
  for (const container of [server.container, proxy.id]) {
    await docker('network', 'connect', name, container);
  }
  const gateway = await docker(
    'inspect',
    '--format',
    `{{(index .NetworkSettings.Networks "${name}").IPAddress}}`,
    server.container,
  );
  await proxy.exec('ip', 'route', 'add', upstreamAddress, 'via', gateway);
  return {
    sentPackets: async () => Number(await proxy.exec('cat', '/sys/class/net/eth1/statistics/tx_packets')),
    async [Symbol.asyncDispose]() {
      for (const container of [server.container, proxy.id]) {
        await docker('network', 'disconnect', '--force', name, container);
      }
      await docker('network', 'rm', name);
    },
  };
}

/** What a process of this user gets when it connects to the upstream from within the proxy's container. */
export function connectAs(user: number, proxy: ProxyContainer): Promise<string> {
  const program = `require("net").connect(80, "${upstreamAddress}").setTimeout(3000, () => { console.log("timeout"); process.exit() })
    .on("connect", () => { console.log("connected"); process.exit() }).on("error", (e) => { console.log(e.code); process.exit() })`;
  return docker('exec', '--user', `${user}:${user}`, proxy.id, 'node', '-e', program);
}
