import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { uploadFile } from '../../artifacts/upload-file.ts';
import { settingsOf } from '../../config/config.ts';
import { artifactTarget } from '../../run/artifact-target.ts';
import { hostFault } from '../../run/host-fault.ts';
import type { Run } from '../../run/run.ts';
import type { Feature } from '../feature.ts';
import { uploadLog } from '../logs/upload-log.ts';
import { keyOfOneRun } from './key-of-one-run.ts';
import { settings } from './settings.ts';

/** An Ed25519 private key in PKCS #8 is this header followed by its 32-byte seed (RFC 8410). */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex');
const seedBytes = 32;

const certifiedLog = 'public/logs/certified.log';
const certificateName = 'public/chain-of-trust.json';

/**
 * A signed document that says which artifacts a run made, from which definition and where, so that tasks
 * further down can tell them from forged ones. Not made for a run that was aborted.
 */
export const chainOfTrust: Feature = {
  name: 'chainOfTrust',
  description: 'Signs a list of the artifacts and of the environment they were made in',
  settings,
  settingsOfOneRun: keyOfOneRun,
  defaultOn: false,
  unavailable(config) {
    const { ed25519SigningKeyLocation: path } = settingsOf(config, settings);
    try {
      accessSync(path, constants.R_OK);
      return undefined;
    } catch {
      return `there is no readable signing key at ${path}`;
    }
  },
  artifactNames: () => [certifiedLog, certificateName, `${certificateName}.sig`],
  async openLog(run) {
    const key = await readSigningKey(settingsOf(run.host.config, settings).ed25519SigningKeyLocation);
    return {
      async onClosed() {
        if (!run.signal.aborted) {
          await publish(run, key);
        }
      },
    };
  },
};

async function publish(run: Run, key: KeyObject): Promise<void> {
  const name = certifiedLog;
  const { sha256 } = await uploadLog(run, { name, contentType: 'text/plain' });
  run.uploaded.set(name, { sha256 });
  run.host.onStep?.(run);
  const document = Buffer.from(JSON.stringify(certificate(run), null, 2));
  const artifacts = [
    { name: certificateName, contentType: 'text/plain', source: document },
    {
      name: `${certificateName}.sig`,
      contentType: 'application/octet-stream',
      source: sign(null, document, key),
    },
  ];
  await Promise.all(
    artifacts.map((artifact) =>
      uploadFile({
        ...artifactTarget(run),
        ...artifact,
        expires: run.task.expires,
      }),
    ),
  );
}

/** The keys stand in the order that tools which check the document know. */
function certificate({ taskId, runId, task, uploaded, image, host: { config } }: Run): object {
  return {
    chainOfTrustVersion: 1,
    artifacts: Object.fromEntries([...uploaded].map(([name, { sha256 }]) => [name, { sha256 }])),
    task,
    taskId,
    runId,
    workerGroup: config.workerGroup,
    workerId: config.workerId,
    environment: {
      publicIpAddress: config.publicIp,
      privateIpAddress: config.privateIp,
      imageHash: image?.hash,
      imageArtifactHash: image?.artifactHash,
      instanceId: config.instanceId,
      instanceType: config.instanceType,
      region: config.region,
    },
  };
}

/**
 * The file holds the base64 text of a NaCl signing key: the seed, then the public key.
 *
 * @throws hostFault when there is no such key: the task can have its certificate on another worker
 */
async function readSigningKey(path: string): Promise<KeyObject> {
  try {
    const bytes = Buffer.from(await readFile(path, 'ascii'), 'base64');
    return createPrivateKey({
      key: Buffer.concat([pkcs8Header, bytes.subarray(0, seedBytes)]),
      format: 'der',
      type: 'pkcs8',
    });
  } catch (error) {
    throw hostFault(`There is no signing key in ${path}.`, error);
  }
}
