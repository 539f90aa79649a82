import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import { startTestWorker } from '../harness/test-worker.ts';

/** The bytes of an artifact as they were in the container. */
async function artifact({ queue }: Deployment, taskId: string, name: string): Promise<Buffer> {
  const response = await fetch(queue.buildUrl(queue.getLatestArtifact, taskId, name));
  return Buffer.from(await response.arrayBuffer());
}

test('chain of trust: the signature verifies, and the hashes are those of the artifacts and the log', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  const keyFile = join(folder.path, 'cot.key');
  const naclKey = Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]);
  await writeFile(keyFile, naclKey.toString('base64'), { mode: 0o600 });
  await using worker = await startTestWorker(deployment, {
    ed25519SigningKeyLocation: keyFile,
    publicIp: '127.0.0.1',
    privateIp: '169.254.1.1',
    instanceId: 'i-1',
    instanceType: 'r3-superlarge',
    region: 'us-middle-1a',
  });
  const taskId = await deployment.createTask({
    features: { chainOfTrust: true },
    command: ['sh', '-c', 'echo content > /a.txt'],
    artifacts: { 'public/a.txt': { type: 'file', path: '/a.txt' } },
  });

  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'completed' });

  const { artifacts } = await deployment.queue.listLatestArtifacts(taskId);
  expect(artifacts.map(({ name }: { name: string }) => name).sort()).toEqual([
    'public/a.txt',
    'public/chain-of-trust.json',
    'public/chain-of-trust.json.sig',
    'public/logs/certified.log',
    'public/logs/live.log',
    'public/logs/live_backing.log',
  ]);
  const document = await artifact(deployment, taskId, 'public/chain-of-trust.json');
  const signature = await artifact(deployment, taskId, 'public/chain-of-trust.json.sig');
  expect(signature).toHaveLength(64);
  expect(verify(null, document, publicKey, signature)).toBe(true);
  const certificate = JSON.parse(document.toString());
  expect(Object.keys(certificate)).toEqual([
    'chainOfTrustVersion',
    'artifacts',
    'task',
    'taskId',
    'runId',
    'workerGroup',
    'workerId',
    'environment',
  ]);
  const log = await artifact(deployment, taskId, 'public/logs/live_backing.log');
  expect(certificate.artifacts).toEqual({
    'public/a.txt': { sha256: createHash('sha256').update('content\n').digest('hex') },
    'public/logs/certified.log': { sha256: createHash('sha256').update(log).digest('hex') },
  });
  expect(certificate.task).toEqual(await deployment.queue.task(taskId));
  expect(certificate.environment).toMatchObject({
    publicIpAddress: '127.0.0.1',
    privateIpAddress: '169.254.1.1',
    imageHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    instanceId: 'i-1',
    instanceType: 'r3-superlarge',
    region: 'us-middle-1a',
  });
});

test('chain of trust is refused by a worker that has no key', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, { ed25519SigningKeyLocation: '/no/such/key' });
  const taskId = await deployment.createTask({ features: { chainOfTrust: true } });

  expect((await worker.outcome(taskId)).resolution).toEqual({ kind: 'failed' });
  expect(await deployment.taskLog(taskId)).toContain('there is no readable signing key at /no/such/key');
});

test('a task whose worker has lost its key is run again, perhaps by another', async () => {
  await using deployment = await startDeployment();
  await using folder = await makeTempDir();
  const key = join(folder.path, 'key');
  await writeFile(key, 'no key');
  await using worker = await startTestWorker(deployment, { ed25519SigningKeyLocation: key });
  const taskId = await deployment.createTask(
    { features: { chainOfTrust: true }, command: ['true'] },
    { retries: 0 },
  );

  await worker.outcome(taskId);

  const { status } = await deployment.queue.status(taskId);
  expect(status.runs).toMatchObject([{ state: 'exception', reasonResolved: 'worker-shutdown' }]);
  expect(worker.log()).toContain(`There is no signing key in ${key}.`);
});

test('bulkLog is the same log as the live one, where the worker offers it', async () => {
  await using deployment = await startDeployment();
  await using worker = await startTestWorker(deployment, { features: { bulkLog: { enabled: true } } });
  const taskId = await deployment.createTask({ features: { bulkLog: true }, command: ['seq', '1000'] });

  await worker.outcome(taskId);

  const bulk = await artifact(deployment, taskId, 'public/logs/terminal_bulk.log.gz');
  expect(bulk.toString()).toContain('\r\n1000\r\n');
  expect(bulk.toString()).toBe(await deployment.taskLog(taskId));
});
