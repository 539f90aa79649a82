import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeDeviceCloud } from '@docker-worker/fake-device-cloud';
import { startRelengapiStandIn } from '@docker-worker/relengapi-proxy/testing/relengapi-stand-in';
import { startVpnServer, upstreamAddress } from '@docker-worker/vpn-proxy/testing/vpn-server';
import { bridgeGateway } from '@docker-worker/worker';
import Docker from 'dockerode';

/**
 * Runs an example whose feature needs a server, with a stand-in for that server that is gone afterwards:
 *
 *   npm run example -- relengapi|balrog|testdroid
 */
const standIns: Record<string, (resources: AsyncDisposableStack, folder: string) => Promise<object>> = {
  relengapi: relengapiSettings,
  balrog: balrogSettings,
  testdroid: testdroidSettings,
};

const [name = ''] = process.argv.slice(2);
const makeSettings = standIns[name];
if (makeSettings === undefined) {
  process.stderr.write(`usage: npm run example -- ${Object.keys(standIns).join('|')}\n`);
  process.exit(2);
}
await using resources = new AsyncDisposableStack();
// The task's command ends by itself; its sidecars and our servers must not be left behind.
process.on('SIGINT', () => {});
const folder = await mkdtemp(join(tmpdir(), 'docker-worker-example-'));
resources.defer(() => rm(folder, { recursive: true }));
const settings = join(folder, 'settings.json');
await writeFile(settings, JSON.stringify(await makeSettings(resources, folder)));
const worker = join(import.meta.dirname, '../packages/worker/dist/main.js');
const task = join(import.meta.dirname, `${name}.yml`);
const run = spawn(process.execPath, [worker, 'run-task', task, '--config', settings], { stdio: 'inherit' });
const [code] = await once(run, 'close');
process.exitCode = code ?? 1;

/** An issuer of tokens and a tooltool with one internal file. */
async function relengapiSettings(owner: AsyncDisposableStack): Promise<object> {
  const standIn = owner.use(await startRelengapiStandIn({ host: await bridgeGateway(new Docker()) }));
  standIn.store(Buffer.from('A file that needs the permission tooltool.download.internal.\n'), 'internal');
  const auth = { provider: 'relengapi-tmp-token', issuer: `${standIn.url}/tokenauth/tokens` };
  const routes = [{ prefix: '/', upstream: standIn.url, auth }];
  return { relengAPIProxy: { issuingToken: standIn.issuingToken, routes } };
}

/** An OpenVPN server with an HTTP server behind it, and the folder that its client needs. */
async function balrogSettings(owner: AsyncDisposableStack, folder: string): Promise<object> {
  const server = owner.use(await startVpnServer(await bridgeGateway(new Docker())));
  for (const [file, content] of Object.entries(server.clientFiles)) {
    await writeFile(join(folder, file), content, { mode: 0o600 });
  }
  const upstream = `http://${upstreamAddress}`;
  return { vpnProxies: { balrogVPNProxy: { upstream, vpn: folder, probe: { expect: ['401'] } } } };
}

/** A cloud of four phones, which are flashed in no time. */
async function testdroidSettings(owner: AsyncDisposableStack): Promise<object> {
  const cloud = owner.use(await startFakeDeviceCloud({ host: await bridgeGateway(new Docker()) }));
  const { apiKey } = cloud.state.accounts.account;
  const flash = { project: 'flash-fxos-new-url', pollSeconds: 0.2 };
  return { testdroid: { cloudUrl: cloud.url, apiKey, flash } };
}
