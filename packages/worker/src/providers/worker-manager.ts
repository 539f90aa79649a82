import { setTimeout } from 'node:timers/promises';
import { Credentials } from '@docker-worker/service-kit/control';
import type { Logger } from 'pino';
import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import { type ConfigDocument, ConfigError, parseConfig } from '../config-file/read-config.ts';
import { Registration } from '../config-file/registration.ts';
import { schemaProblems } from '../payload/schema-messages.ts';
import { UserError } from '../user-error.ts';
import type { Alert } from './alerts.ts';
import { aws } from './clouds/aws.ts';
import { azure } from './clouds/azure.ts';
import type { Cloud, Machine } from './clouds/cloud.ts';
import { google } from './clouds/google.ts';
import { staticMachine } from './clouds/static.ts';
import type { Provider, WorkerCommands } from './provider.ts';
import { shouldTerminate } from './should-terminate.ts';

/** Credentials are renewed so long before they expire, or after half of their time if that is sooner. */
const renewalMarginMs = 30 * 60 * 1000;
/** How often worker-manager is asked whether it still wants the worker. */
const verdictIntervalMs = 5 * 60 * 1000;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;
/** Longer than this no timer of Node's can wait. */
const longestWaitMs = 2 ** 31 - 1;

const Renewal = z.looseObject({ expires: z.string(), credentials: Credentials, secret: z.string() });
type Renewal = z.infer<typeof Renewal>;
const Registered = Renewal.extend({ workerConfig: z.record(z.string(), z.unknown()).default({}) });

/** A configuration without `registration`, which tells how to complete it. */
interface Unregistered {
  file: string;
  document: Record<string, unknown>;
  registration: unknown;
}

/** The part of a configuration that says that the worker has to register; nothing if it does not say so. */
export function unregistered({ file, document }: ConfigDocument): Unregistered | undefined {
  if (typeof document !== 'object' || document === null || !('registration' in document)) {
    return undefined;
  }
  const { registration, ...rest } = document;
  return { file, document: rest, registration };
}

/**
 * A worker that worker-manager knows: it registers with a proof of its machine's identity, works with the
 * configuration of its pool, and renews its credentials before they expire.
 *
 * @throws UserError when the machine's metadata, the registration or the configuration are refused
 */
export async function workerManager(unregistered: Unregistered): Promise<Provider> {
  const cloud = cloudOf(parseRegistration(unregistered));
  const machine = await cloud.identify();
  const registered = await register(machine);
  const [provisionerId, workerType] = machine.workerPoolId.split(/\/(.*)/s);
  const { rootUrl, workerGroup, workerId } = machine;
  const parsed = parseConfig({
    file: `${unregistered.file} with the configuration of the worker pool ${machine.workerPoolId}`,
    document: merged(
      unregistered.document,
      ownPart(registered.workerConfig),
      await poolSecret(machine, registered.credentials),
      withoutUndefined(machine.settings),
      { rootUrl, workerGroup, workerId, provisionerId, workerType, taskcluster: registered.credentials },
    ),
  });
  return new RegisteredWorker(cloud, machine, registered, parsed);
}

class RegisteredWorker implements Provider {
  readonly config: Provider['config'];
  readonly obsoleteKeys: string[];
  readonly #cloud: Cloud;
  readonly #machine: Machine;
  readonly #leaving = new AbortController();
  #registration: Renewal;
  #following: Promise<unknown> | undefined;
  #askVerdict: () => void = () => {};

  constructor(
    cloud: Cloud,
    machine: Machine,
    registration: Renewal,
    { config, obsoleteKeys }: Pick<Provider, 'config' | 'obsoleteKeys'>,
  ) {
    this.#cloud = cloud;
    this.#machine = machine;
    this.#registration = registration;
    this.config = config;
    this.obsoleteKeys = obsoleteKeys;
  }

  follow(worker: WorkerCommands, logger: Logger): void {
    const { signal } = this.#leaving;
    const terminated = async () => {
      await this.#cloud.terminating(signal);
      logger.warn('the machine is about to be taken away');
      worker.abort();
    };
    this.#following = Promise.allSettled([this.#renewForEver(worker, logger), terminated()]);
    const ask = () => void this.#followVerdict(worker, logger);
    const interval = setInterval(ask, verdictIntervalMs).unref();
    signal.addEventListener('abort', () => clearInterval(interval), { once: true });
    this.#askVerdict = ask;
  }

  workerIdle(): void {
    this.#askVerdict();
  }

  alert({ title, description }: Alert): void {
    const { workerPoolId, workerGroup, workerId } = this.#machine;
    const kind = 'worker-error';
    const longest = { title: title.slice(0, 128), description: description.slice(0, 10_240) };
    // What cannot be told here stands in the log.
    this.#client()
      .reportWorkerError(workerPoolId, { workerGroup, workerId, kind, ...longest, extra: {} })
      .catch(() => {});
  }

  /** Lets worker-manager stop a machine that it has started. */
  async workerEnded(): Promise<void> {
    if (this.#cloud.disposable) {
      const { workerPoolId, workerGroup, workerId } = this.#machine;
      await this.#client().removeWorker(workerPoolId, workerGroup, workerId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await this.#following;
  }

  /** Drains the worker when worker-manager has no use for it any more. */
  async #followVerdict(worker: WorkerCommands, logger: Logger): Promise<void> {
    try {
      const { terminate, reason } = await shouldTerminate(this.#machine, this.#registration.credentials);
      if (terminate && !this.#leaving.signal.aborted) {
        logger.info({ reason }, 'worker-manager wants this worker to end');
        worker.drain();
      }
    } catch (error) {
      logger.warn({ err: error }, 'worker-manager could not be asked whether this worker is to end');
    }
  }

  async #renewForEver(worker: WorkerCommands, logger: Logger): Promise<void> {
    const { signal } = this.#leaving;
    for (;;) {
      const remaining = Date.parse(this.#registration.expires) - Date.now();
      const wait = Math.max(remaining - renewalMarginMs, remaining / 2, 0);
      await setTimeout(Math.min(wait, longestWaitMs), undefined, { signal });
      if (!(await this.#renew(logger))) {
        logger.error('[alert-operator] the credentials have expired');
        // Nothing can be claimed any more; what runs has credentials of its own.
        worker.drain();
        return;
      }
      logger.info('Credentials updated');
    }
  }

  /** Tries until the credentials expire; false when they have. */
  async #renew(logger: Logger): Promise<boolean> {
    const { workerPoolId, workerGroup, workerId } = this.#machine;
    const { secret, expires } = this.#registration;
    for (let delay = firstRetryMs; ; delay = Math.min(delay * 2, longestRetryMs)) {
      try {
        const input = { workerPoolId, workerGroup, workerId, secret };
        this.#registration = Renewal.parse(await this.#client().reregisterWorker(input));
        this.config.taskcluster = this.#registration.credentials;
        return true;
      } catch (error) {
        this.#leaving.signal.throwIfAborted();
        logger.warn({ err: error }, 'the credentials could not be renewed');
        const wait = delay * (0.5 + Math.random());
        if (Date.now() + wait > Date.parse(expires)) {
          return false;
        }
        await setTimeout(wait, undefined, { signal: this.#leaving.signal });
      }
    }
  }

  #client() {
    const { rootUrl } = this.#machine;
    return new taskcluster.WorkerManager({ rootUrl, credentials: this.#registration.credentials });
  }
}

/** @throws ConfigError */
export function parseRegistration({ file, registration }: Unregistered): Registration {
  const parsed = Registration.safeParse(registration);
  if (!parsed.success) {
    const place = { schema: Registration, document: registration, root: 'registration' };
    throw new ConfigError(file, schemaProblems(parsed.error.issues, place));
  }
  return parsed.data;
}

function cloudOf(settings: Registration): Cloud {
  switch (settings.provider) {
    case 'aws':
      return aws(settings.metadataUrl);
    case 'google':
      return google(settings.metadataUrl);
    case 'azure':
      return azure(settings.metadataUrl);
    case 'static':
      return staticMachine(settings);
  }
}

async function register({ settings: _, rootUrl, ...machine }: Machine) {
  const workerManager = new taskcluster.WorkerManager({ rootUrl });
  try {
    return Registered.parse(await workerManager.registerWorker(machine));
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string };
    throw new UserError(
      `worker-manager at ${rootUrl} did not register ${machine.workerPoolId} ${machine.workerGroup}/${machine.workerId}` +
        `${statusCode === undefined ? '' : ` (HTTP ${statusCode})`}: ${message.split('\n')[0]}`,
    );
  }
}

/** A pool's configuration holds that of its workers under the name of their implementation, or as it is. */
function ownPart(workerConfig: Record<string, unknown>): Record<string, unknown> {
  const { dockerWorker, genericWorker: _, ...flat } = workerConfig;
  return dockerWorker === undefined
    ? flat
    : z.looseObject({ config: z.record(z.string(), z.unknown()).default({}) }).parse(dockerWorker).config;
}

const PoolSecret = z.looseObject({
  secret: z.looseObject({ config: z.record(z.string(), z.unknown()).default({}) }),
});

/** What the pool's configuration must not show, as passwords of registries; a pool need not have such a secret. */
async function poolSecret(
  { rootUrl, workerPoolId }: Machine,
  credentials: Credentials,
): Promise<Record<string, unknown>> {
  try {
    const secrets = new taskcluster.Secrets({ rootUrl, credentials });
    return PoolSecret.parse(await secrets.get(`worker-pool:${workerPoolId}`)).secret.config;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) {
      return {};
    }
    throw error;
  }
}

/** Later documents override earlier ones, key by key at every depth. */
function merged(...documents: Record<string, unknown>[]): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [key, value] of documents.flatMap(Object.entries)) {
    const earlier = all[key];
    all[key] = isMapping(earlier) && isMapping(value) ? merged(earlier, value) : value;
  }
  return all;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutUndefined<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}
