import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { startDeployment } from '../harness/deployment.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { startTestWorker } from '../harness/test-worker.ts';

const signal = '/tmp/look-is-over';

test('credentials are nowhere that a task, an operator or a log could show them', async () => {
  await using deployment = await startDeployment({
    accessToken: `canary-${randomBytes(16).toString('hex')}`,
  });
  await using worker = await startTestWorker(deployment);
  const taskId = await deployment.createTask({
    features: { taskclusterProxy: true },
    command: [
      'bash',
      '-c',
      `env; cat /proc/*/cmdline /proc/*/environ /proc/*/mountinfo | tr '\\0' '\\n'
       curl --silent --show-error --include $TASKCLUSTER_PROXY_URL/api/auth/v1/scopes/current
       curl --silent --show-error --include $TASKCLUSTER_PROXY_URL/api/secrets/v1/secret/forbidden
       curl --silent --show-error --include $TASKCLUSTER_PROXY_URL/nonsense
       curl --silent --show-error --include --request PUT $TASKCLUSTER_PROXY_URL/credentials
       echo looked; until [ -e ${signal} ]; do sleep 0.1; done`,
    ],
  });
  const run = await worker.run(taskId);
  for await (const chunk of run.log.read()) {
    if (chunk.includes('looked')) {
      break;
    }
  }
  const containers = await runContainers(`${taskId}/0`);
  const sidecar = containers.get('sidecar:tc-proxy');
  const pid = sidecar?.State.Pid;
  const places: Record<string, string> = {
    inspect: JSON.stringify([...containers.values()]),
    history: JSON.stringify(
      await Promise.all([...containers.values()].map(({ Image }) => docker.getImage(Image).history())),
    ),
    'sidecar log': (await promisify(execFile)('docker', ['logs', sidecar?.Id ?? ''])).stderr,
    'sidecar argv': await readFile(`/proc/${pid}/cmdline`, 'utf8'),
    'sidecar env': await readFile(`/proc/${pid}/environ`, 'utf8'),
  };
  // A task that has got hold of the token all the same prints it, in forms that programs give it.
  const { accessToken: token } = run.credentials;
  const leaks = [token, Buffer.from(`user:${token}`).toString('base64'), encodeURIComponent(token)];
  const exec = await docker.getContainer(containers.get('task')?.Id ?? '').exec({
    Cmd: [
      'sh',
      '-c',
      `for leak; do echo "leaks: $leak" > /proc/1/fd/1; done; touch ${signal}`,
      'sh',
      ...leaks,
    ],
  });
  // Its connection to the engine stays open until somebody has read to the end.
  (await exec.start({})).resume();
  await worker.outcome(taskId);
  places['worker log'] = worker.log();
  places['task log'] = await deployment.taskLog(taskId);

  const { accessToken, certificate } = run.credentials;
  const canaries = {
    "the worker's token": deployment.local.credentials.accessToken,
    "the claim's token": accessToken,
    "the certificate's signature": JSON.parse(certificate ?? '{}').signature as string,
  };
  expect(places['task log']).toContain('TASKCLUSTER_PROXY_URL=http://taskcluster');
  expect(places['task log']).toContain('InsufficientScopes');
  expect(places['task log']?.match(/leaks: .*\[redacted\]/g)).toHaveLength(3);
  expect(places['task log']).not.toContain(leaks[1]);
  expect(places['sidecar log']).toContain('tc-proxy');
  for (const [name, canary] of Object.entries(canaries)) {
    expect(canary.length).toBeGreaterThan(20);
    for (const [place, text] of Object.entries(places)) {
      expect({ place, name, found: text.includes(canary) }).toEqual({ place, name, found: false });
    }
  }
});
