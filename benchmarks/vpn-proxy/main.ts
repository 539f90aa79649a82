import { startProxyContainer } from '@docker-worker/vpn-proxy/testing/vpn-proxy-container';
import { docker, startVpnServer, upstreamAddress } from '@docker-worker/vpn-proxy/testing/vpn-server';
import { median } from '../averages.ts';

/**
 * Throughput of one download and one upload through a real OpenVPN tunnel: by vpn-proxy, and by the same
 * tunnel without it. The client is the same program in the same container, so what differs is the proxy.
 * Interleaved; medians.
 *
 *   npm run bench:vpn-proxy [-- ROUNDS [MEGABYTES]]
 */
const rounds = Number(process.argv[2] ?? 7);
const bytes = Number(process.argv[3] ?? 100) * 1_000_000;

/** Prints the seconds from the request to the end of the answer. */
const client = `
const [url, method, count] = process.argv.slice(1);
const started = performance.now();
const request = require('http').request(url, { method }, (response) => {
  response.on('data', () => {});
  response.on('end', () => console.log((performance.now() - started) / 1000));
});
if (method === 'GET') request.end();
else {
  const block = Buffer.alloc(256 * 1024);
  let left = Number(count);
  (function send() {
    while (left > 0) {
      const size = Math.min(left, block.length);
      left -= size;
      if (!request.write(block.subarray(0, size))) return request.once('drain', send);
    }
    request.end();
  })();
}`;

await using server = await startVpnServer('127.0.0.1');
const address = await docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', server.container);
const config = (server.clientFiles['config.conf'] ?? '').replace(/^remote .*$/m, `remote ${address} 1194`);
await using proxy = await startProxyContainer({
  files: { ...server.clientFiles, 'config.conf': config },
  env: { PROXIED_SERVER: `http://${upstreamAddress}`, VPN_PROXY_LOG_LEVEL: 'info' },
});
await proxy.logHas('"msg":"open"');

const ways = { 'tunnel alone': `http://${upstreamAddress}`, 'tunnel and vpn-proxy': 'http://127.0.0.1' };
const directions = { download: 'GET', upload: 'PUT' };
const rates = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const [direction, method] of Object.entries(directions)) {
    for (const [way, url] of Object.entries(ways)) {
      const key = `${direction} ${way}`;
      rates.set(key, [...(rates.get(key) ?? []), await rateOf(`${url}/bytes/${bytes}`, method)]);
    }
  }
}
console.log(
  `| ${rounds} rounds of ${bytes / 1e6} MB, medians | tunnel alone, MB/s | with vpn-proxy, MB/s | ratio |`,
);
console.log('|---|---|---|---|');
for (const direction of Object.keys(directions)) {
  const [alone = Number.NaN, proxied = Number.NaN] = Object.keys(ways).map((way) =>
    median(rates.get(`${direction} ${way}`) ?? []),
  );
  console.log(
    `| ${direction} | ${alone.toFixed(1)} | ${proxied.toFixed(1)} | ${(proxied / alone).toFixed(2)} |`,
  );
}

/** Megabytes each second, asked by the user that only the tunnel is open to. */
async function rateOf(url: string, method: string): Promise<number> {
  const path = method === 'GET' ? url : url.replace(/\/bytes\/.*/, '/upload');
  const seconds = await docker(
    ...['exec', '--user', '10001:10001', proxy.id, 'node', '-e', client, path, method, String(bytes)],
  );
  return bytes / 1e6 / Number(seconds);
}
