import { clearTimeout, setTimeout } from 'node:timers';
import type Docker from 'dockerode';
import { z } from 'zod';
import { type RetryLimits, retry } from '../async/retry.ts';
import { type Participation, SharedOperations } from '../async/shared-operations.ts';
import { answerLines } from './answer-lines.ts';
import { engineMessage, engineStatus } from './engine.ts';
import { parseImageReference, withTag } from './image-reference.ts';
import type { PullPolicy } from './pull-policy.ts';

/** What the engine tells while it pulls: a line per step of a layer, or of the whole image. */
const PullEvent = z.looseObject({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.looseObject({ current: z.number().optional(), total: z.number().optional() }).optional(),
});
export type PullEvent = z.infer<typeof PullEvent>;

export interface PullOptions extends Participation<PullEvent> {
  /** For the registry; default: none. */
  credentials?: { username: string; password: string; serveraddress: string };
  /** Default: `missing`. */
  pull?: PullPolicy;
  /** Default: one attempt. */
  backOff?: RetryLimits;
  /** Milliseconds until the first news of an attempt; default 120 000. */
  answerMs?: number;
  onRetry?(error: Error, pauseMs: number): void;
  /** The image was not on the host and has been pulled. */
  onPulled?(): Promise<void>;
  /** It could not be pulled, but the host has one of that name, which is taken. */
  onKept?(error: ImageUnavailable): void;
}

/** Pulls under way, by engine, so that any number of tasks that want an image cost one pull. */
const pulls = new WeakMap<Docker, SharedOperations<PullEvent, void>>();

const oneAttempt: RetryLimits = { maxAttempts: 1 };

/**
 * Makes sure that an image is on the host and returns its id. A pull ends early when all who wait for it have
 * aborted.
 *
 * @throws ImageUnavailable when there is none, and the registry has no such image or does not answer
 */
export async function ensureImage(docker: Docker, name: string, options: PullOptions = {}): Promise<string> {
  const { pull = 'missing' } = options;
  const local = await localImage(docker, name);
  if (local !== undefined && pull !== 'always') {
    return local;
  }
  if (pull === 'never') {
    throw new ImageUnavailable(name, 'it is not on this host, and is never to be pulled');
  }
  try {
    await sharedPull(docker, name, options);
  } catch (error) {
    if (local === undefined || !(error instanceof ImageUnavailable)) {
      throw error;
    }
    options.onKept?.(error);
    return local;
  }
  const pulled = await localImage(docker, name);
  if (pulled === undefined) {
    throw new ImageUnavailable(name, 'it was pulled, but the engine does not have it');
  }
  if (local === undefined) {
    await options.onPulled?.();
  }
  return pulled;
}

async function sharedPull(docker: Docker, name: string, options: PullOptions): Promise<void> {
  const shared = pulls.get(docker) ?? new SharedOperations<PullEvent, void>();
  pulls.set(docker, shared);
  const { credentials, backOff = oneAttempt, answerMs = 120_000, onRetry } = options;
  await shared.join(
    name,
    (tell, signal) =>
      retry(() => pullImage(docker, name, { credentials, answerMs, tell, signal }), {
        ...backOff,
        signal,
        mayPass: (error) => !(error instanceof ImageUnavailable && error.forGood),
        onRetry,
      }),
    options,
  );
}

/** Looked for by its name only: what could also be an image's id has a tag, as no id has. */
export async function localImage(docker: Docker, name: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(withTag(name)).inspect()).Id;
  } catch (error) {
    if (engineStatus(error) === 404 || engineStatus(error) === 400) {
      return undefined;
    }
    throw error;
  }
}

/** The id of the first of these images that the engine has. */
export async function firstLocalImage(docker: Docker, names: string[]): Promise<string | undefined> {
  const local = await Promise.all(names.map((name) => localImage(docker, name)));
  return local.find((id) => id !== undefined);
}

interface Pull {
  credentials: PullOptions['credentials'];
  answerMs: number;
  tell(event: PullEvent): void;
  signal: AbortSignal;
}

async function pullImage(
  docker: Docker,
  name: string,
  { credentials, answerMs, tell, signal }: Pull,
): Promise<void> {
  const { domain, path, tag, digest } = parseImageReference(withTag(name)) ?? noReference(name);
  const fromImage = domain === undefined ? path : `${domain}/${path}`;
  const silence = new AbortController();
  const silent = setTimeout(() => silence.abort(), answerMs);
  const abortSignal = AbortSignal.any([signal, silence.signal]);
  try {
    // Beside a digest the tag does not count.
    const stream = await docker.createImage(credentials ?? {}, {
      fromImage,
      tag: digest ?? tag,
      abortSignal,
    });
    for await (const line of answerLines(stream)) {
      clearTimeout(silent);
      const event = PullEvent.parse(JSON.parse(line));
      if (event.error !== undefined) {
        throw new Error(event.error);
      }
      tell(event);
    }
    abortSignal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    if (silence.signal.aborted) {
      throw new ImageUnavailable(name, 'the registry does not answer', false);
    }
    const message = engineMessage(error);
    throw new ImageUnavailable(name, inWords(message), isForGood(engineStatus(error), message));
  } finally {
    clearTimeout(silent);
  }
}

/** What the engine does not explain itself. */
function inWords(message: string): string {
  const hint = explanations.find(([said]) => said.test(message))?.[1];
  return hint === undefined ? message : `${hint} (${message})`;
}

const explanations: [RegExp, string][] = [
  [/x509|certificate/i, 'the certificate of the registry is not one that this engine trusts'],
  [/digest|layer verification/i, 'what the registry sent is not what its digest says'],
  [
    /invalid character '<'|error parsing HTTP \d+ response body/i,
    'something that is no registry answered, with a page: a proxy or the login page of a network',
  ],
];

function noReference(name: string): never {
  throw new ImageUnavailable(name, 'that is no name of an image');
}

/** Whether the registry has said no; the engine passes that on in words, often with a status of its own. */
function isForGood(status: number | undefined, message: string): boolean {
  return (
    (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429) ||
    /not found|manifest unknown|name unknown|denied|unauthorized|authentication required|no basic auth|invalid (reference|tag|repository)|no matching manifest|unsupported|x509|certificate|digest|filesystem layer verification failed|invalid character '<'|error parsing HTTP \d+ response body/i.test(
      message,
    )
  );
}

export class ImageUnavailable extends Error {
  /** Whether trying again would be of no use. */
  readonly forGood: boolean;

  constructor(name: string, reason: string, forGood = true) {
    super(`The image "${name}" could not be pulled: ${reason}`);
    this.name = 'ImageUnavailable';
    this.forGood = forGood;
  }
}
