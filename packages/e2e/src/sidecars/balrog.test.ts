import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  startVpnServer,
  upstreamAddress,
  upstreamAddress6,
  type VpnServer,
} from '@docker-worker/vpn-proxy/testing/vpn-server';
import { bridgeGateway } from '@docker-worker/worker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';
import { startTestWorker } from '../harness/test-worker.ts';

let server: VpnServer;
let folder: TempDir;
beforeAll(async () => {
  server = await startVpnServer(await bridgeGateway(docker));
  folder = await makeTempDir();
  await writeVpn('good', server.clientFiles);
  await writeVpn('wrong', { ...server.clientFiles, credentials: 'tester\nnot-the-password\n' });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function writeVpn(name: string, files: Record<string, string>) {
  await mkdir(join(folder.path, name));
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(folder.path, name, file), content, { mode: 0o600 });
  }
}

function settings() {
  const upstream = `http://${upstreamAddress}`;
  const vpn = join(folder.path, 'good');
  return {
    vpnProxies: {
      balrogVPNProxy: { upstream, vpn, probe: { expect: ['401'] } },
      balrogStageVPNProxy: { upstream: `${upstream}/`, vpn },
      archive: { alias: 'old-files', upstream, vpn, scope: 'archive:read' },
      broken: { upstream, vpn: join(folder.path, 'wrong'), scope: 'archive:read' },
    },
  };
}

function curl(url: string) {
  return ['curl', '--silent', '--show-error', '--write-out', '\nstatus %{http_code}\n', url];
}

test.each(['balrogVPNProxy', 'balrogStageVPNProxy'])(
  '%s: a task reaches the server at http://balrog',
  async (feature) => {
    await using deployment = await startDeployment();
    await using worker = await startTestWorker(deployment, settings());
    const taskId = await deployment.createTask(
      { features: { [feature]: true }, command: curl('http://balrog/api/x%2Fy') },
      { scopes: [`docker-worker:feature:${feature}`] },
    );

    expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });

    const log = await deployment.taskLog(taskId);
    expect(log).toContain('"url":"/api/x%2Fy"');
    expect(log).toContain('"x-forwarded-host":"balrog"');
    expect(log).toMatch(/"from":"10\.99\.0\.\d+"/);
    expect(worker.log()).toContain('Initialization Sequence Completed');
  },
);

test('a server that only the configuration names is a feature like any other, and its password is nowhere', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings());
  const signal = '/tmp/look-is-over';
  const taskId = await deployment.createTask(
    {
      features: { archive: true },
      command: [
        'bash',
        '-c',
        `env; curl -s http://old-files/x; echo looked; until [ -e ${signal} ]; do sleep 0.1; done`,
      ],
    },
    { scopes: ['archive:*'] },
  );
  const run = await worker.run(taskId);
  for await (const chunk of run.log.read()) {
    if (chunk.includes('looked')) {
      break;
    }
  }
  const containers = await runContainers(`${taskId}/0`);
  const sidecar = docker.getContainer(containers.get('sidecar:vpn-proxy-archive')?.Id ?? '');
  const inspected = JSON.stringify(await sidecar.inspect());
  const exec = await docker.getContainer(containers.get('task')?.Id ?? '').exec({ Cmd: ['touch', signal] });
  await exec.start({});

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });

  const log = await deployment.taskLog(taskId);
  expect(log).toContain('"url":"/x"');
  for (const text of [log, inspected, worker.log()]) {
    expect(text).not.toContain(server.user.password);
  }
});

test('a WireGuard server, with IPv6 inside the tunnel, is a few lines of configuration', async () => {
  await using wireguard = await startVpnServer(await bridgeGateway(docker), 'wireguard');
  await writeVpn('wireguard', wireguard.clientFiles);
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, {
    vpnProxies: {
      archive: {
        upstream: `http://[${upstreamAddress6}]`,
        tunnel: 'wireguard',
        ipv6: true,
        vpn: join(folder.path, 'wireguard'),
      },
    },
  });
  const taskId = await deployment.createTask(
    { features: { archive: true }, command: curl('http://archive/x') },
    { scopes: ['docker-worker:feature:archive'] },
  );

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });

  expect(await deployment.taskLog(taskId)).toContain('"from":"fd99::2"');
  for (const secret of wireguard.secrets) {
    expect(worker.log()).not.toContain(secret);
  }
});

test('a task without the scope is told which one it lacks', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings());
  const taskId = await deployment.createTask({ features: { balrogVPNProxy: true }, command: ['true'] });

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'failed' }, exitCode: -1 });

  const log = await deployment.taskLog(taskId);
  expect(log).toContain("Insufficient scopes to use 'balrogVPNProxy' feature.");
  expect(log).toContain('Try adding docker-worker:feature:balrogVPNProxy to the .scopes array.');
});

test('both Balrog features at once are a malformed payload', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings());
  const taskId = await deployment.createTask(
    { features: { balrogVPNProxy: true, balrogStageVPNProxy: true }, command: ['true'] },
    { scopes: ['docker-worker:feature:*'] },
  );

  expect((await worker.outcome(taskId)).resolution).toEqual({
    kind: 'exception',
    reason: 'malformed-payload',
  });

  expect(await deployment.taskLog(taskId)).toContain('both answer at http://balrog');
});

test('a tunnel that cannot be made gives the task back, with the reason and without the password', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, settings());
  const taskId = await deployment.createTask(
    { features: { broken: true }, command: ['true'] },
    { scopes: ['archive:read'], retries: 0 },
  );

  expect(await worker.outcome(taskId)).toEqual({
    resolution: { kind: 'exception', reason: 'worker-shutdown' },
    exitCode: -1,
  });

  const log = await deployment.taskLog(taskId);
  expect(log).toContain("Error calling 'link' for broken");
  expect(log).toContain('AUTH_FAILED, the VPN server refuses the credentials');
  expect(log).not.toContain('not-the-password');
});
