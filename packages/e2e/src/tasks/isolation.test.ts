import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { addressOf, runContainers } from '../harness/host/run-containers.ts';
import { startTestWorker } from '../harness/test-worker.ts';

test('a task whose scopes lack a secret gets the 403 of the secrets service, body and all', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  await deployment.secrets.set('x', { secret: { a: 1 }, expires: new Date(Date.now() + 3_600_000).toJSON() });
  const taskId = await deployment.createTask(
    {
      features: { taskclusterProxy: true },
      command: [
        'curl',
        '--silent',
        '--write-out',
        '\nstatus %{http_code}',
        'http://taskcluster/secrets/v1/secret/x',
      ],
    },
    { scopes: ['secrets:get:y'] },
  );

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'completed' }, exitCode: 0 });

  const log = await deployment.taskLog(taskId);
  expect(log).toContain('status 403');
  expect(log).toMatch(/"code":\s*"InsufficientScopes"/);
  expect(log).toContain('secrets:get:x');
});

test('a task cannot reach the sidecar of a task beside it, by alias, address or scan', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  const withProxy = { features: { taskclusterProxy: true } };
  const victim = await deployment.createTask({
    ...withProxy,
    command: ['bash', '-c', 'echo here; sleep 60'],
  });
  const run = await worker.run(victim);
  for await (const chunk of run.log.read()) {
    if (chunk.includes('here')) {
      break;
    }
  }
  const target = addressOf((await runContainers(`${victim}/0`)).get('sidecar:tc-proxy'));
  const subnet = target.split('.').slice(0, 3).join('.');
  const first = Number(target.split('.')[3]) & ~15;
  // Every address of the victim's network, its gateway (this host) aside, on the ports that the proxy listens on.
  const attacker = await deployment.createTask({
    ...withProxy,
    command: [
      'bash',
      '-c',
      `own=$(getent hosts taskcluster | cut -d' ' -f1); echo "alias: $own"
       exec 4<>/dev/tcp/$own/80 && echo "its own is within reach"
       for host in $(seq ${first + 2} ${first + 14}); do for port in 80 8080 8081; do
         (timeout 2 bash -c "exec 3<>/dev/tcp/${subnet}.$host/$port" 2>/dev/null && echo "REACHED ${subnet}.$host:$port") &
       done; done; wait; echo scanned`,
    ],
  });

  await worker.outcome(attacker);

  const log = await deployment.taskLog(attacker);
  expect(log).toContain('its own is within reach');
  expect(log).toContain('scanned');
  expect(log).toMatch(/alias: \d+\.\d+\.\d+\.\d+/);
  expect(log).not.toContain(`alias: ${target}\r`);
  expect(log).not.toContain('REACHED');
  run.abort({ kind: 'canceled' });
});

test('a task reaches neither the admin listener nor the control channel of its own sidecar', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment);
  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: [
      'bash',
      '-c',
      `for port in $(seq 1 1024) $(seq 8000 8200) 9090 9100; do
         (exec 3<>/dev/tcp/taskcluster/$port) 2>/dev/null && echo "open: $port"
       done
       for path in metrics live ready version credentials; do
         curl --silent --output /dev/null --write-out "$path: %{http_code}\\n" --request PUT --data '{}' http://taskcluster/$path
       done`,
    ],
  });

  await worker.outcome(taskId);

  const log = await deployment.taskLog(taskId);
  expect(log.match(/open: \d+/g)).toEqual(['open: 80']);
  for (const path of ['metrics', 'live', 'ready', 'version', 'credentials']) {
    expect(log).toContain(`${path}: 404`);
  }
});
