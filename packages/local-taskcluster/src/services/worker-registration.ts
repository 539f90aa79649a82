import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type Endpoint, endpoint } from '../api/endpoint.ts';
import { issueCredentials } from '../auth/certificate.ts';
import type { Client } from '../auth/clients.ts';
import { ApiError } from '../errors.ts';
import { datetime, identifier, taskQueueId } from '../fields.ts';
import type { PoolWorker, WorkerPools } from './worker-pools.ts';

const DEFAULT_REREGISTRATION_SECONDS = 345_600;

export const workerSecret = z.string().regex(/^[a-zA-Z0-9_-]{44}$/);

const configSchema = z.looseObject({
  workerConfig: z.record(z.string(), z.unknown()).default({}),
  lifecycle: z.looseObject({ reregistrationTimeout: z.number().optional() }).default({}),
});

const identityProof = z.union([
  z.strictObject({ staticSecret: workerSecret }),
  z.strictObject({ token: z.string() }),
  z.strictObject({ document: z.string(), signature: z.string().optional() }),
]);

/** What proves an identity. There is no cloud here that signs: its documents hold the worker's secret instead. */
function proofText(proof: z.infer<typeof identityProof>): string {
  if ('staticSecret' in proof) return proof.staticSecret;
  return 'token' in proof ? proof.token : (proof.signature ?? proof.document);
}

/** Endpoints by which a worker gets its credentials and keeps them fresh. */
export function registrationEndpoints(pools: WorkerPools, signer: Client): Endpoint[] {
  /** New credentials, and a new secret to get the next ones with. */
  function register(worker: PoolWorker) {
    const { lifecycle, workerConfig } = configSchema.parse(pools.pool(worker.workerPoolId).config);
    const seconds = lifecycle.reregistrationTimeout ?? DEFAULT_REREGISTRATION_SECONDS;
    const expires = new Date(Math.min(Date.now() + seconds * 1000, Date.parse(worker.expires)));
    const secret = newSecret();
    const now = new Date().toJSON();
    pools.saveWorker({
      ...worker,
      ...{ state: 'running', reregistrationSecret: secret, lastModified: now, lastChecked: now },
    });
    return {
      expires: expires.toJSON(),
      credentials: credentialsFor(worker, signer, expires),
      secret,
      workerConfig,
    };
  }

  return [
    endpoint({
      name: 'registerWorker',
      method: 'post',
      route: '/worker/register',
      input: z.strictObject({
        workerPoolId: taskQueueId,
        providerId: identifier,
        workerGroup: identifier,
        workerId: identifier,
        workerIdentityProof: identityProof,
        systemBootTime: datetime.optional(),
      }),
      secretKeys: ['workerIdentityProof'],
      handle({ body: { workerPoolId, providerId, workerGroup, workerId, workerIdentityProof: proof } }) {
        if (pools.pool(workerPoolId).providerId !== providerId) {
          throw new ApiError('InputError', `Worker pool \`${workerPoolId}\` is not of this provider`);
        }
        const worker = pools.worker(workerPoolId, workerGroup, workerId);
        if (!equalSecrets(proofText(proof), worker.staticSecret))
          throw new ApiError('InputError', 'Identity validation error');
        requireCurrent(worker);
        return register(worker);
      },
    }),
    endpoint({
      name: 'reregisterWorker',
      method: 'post',
      route: '/worker/reregister',
      scopes: 'worker-manager:reregister-worker:<workerPoolId>/<workerGroup>/<workerId>',
      scopeParameters: ({ body: { workerPoolId, workerGroup, workerId } }) => ({
        ...{ workerPoolId, workerGroup, workerId },
      }),
      input: z.strictObject({
        workerPoolId: taskQueueId,
        workerGroup: identifier,
        workerId: identifier,
        secret: workerSecret,
      }),
      secretKeys: ['secret'],
      handle({ body: { workerPoolId, workerGroup, workerId, secret } }) {
        const worker = pools.worker(workerPoolId, workerGroup, workerId);
        if (!equalSecrets(secret, worker.reregistrationSecret ?? '')) {
          throw new ApiError('InputError', 'Could not generate credentials for this secret');
        }
        requireCurrent(worker);
        const { workerConfig: _config, ...registration } = register(worker);
        return registration;
      },
    }),
  ];
}

/** A worker may work for its pool, look after itself, and nothing else. */
function credentialsFor(
  { workerPoolId, workerGroup, workerId, providerId }: PoolWorker,
  signer: Client,
  expiry: Date,
) {
  const worker = `${workerPoolId}/${workerGroup}/${workerId}`;
  return issueCredentials(signer, {
    clientId: `worker/${providerId}/${worker}`,
    scopes: [
      `assume:worker-type:${workerPoolId}`,
      `assume:worker-pool:${workerPoolId}`,
      `assume:worker-id:${workerGroup}/${workerId}`,
      `queue:worker-id:${workerGroup}/${workerId}`,
      `queue:claim-work:${workerPoolId}`,
      `secrets:get:worker-type:${workerPoolId}`,
      `secrets:get:worker-pool:${workerPoolId}`,
      `worker-manager:remove-worker:${worker}`,
      `worker-manager:reregister-worker:${worker}`,
      `worker-manager:should-worker-terminate:${worker}`,
    ],
    expiry,
  });
}

function requireCurrent({ state, expires }: PoolWorker): void {
  if (state === 'stopped' || new Date(expires) < new Date()) {
    throw new ApiError('InputError', 'The worker has been stopped or has expired');
  }
}

/** 44 characters, as the API wants it. */
function newSecret(): string {
  return randomBytes(33).toString('base64url');
}

function equalSecrets(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
