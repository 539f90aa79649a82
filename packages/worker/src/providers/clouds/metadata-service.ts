import { setTimeout } from 'node:timers/promises';
import { request } from 'undici';
import { UserError } from '../../user-error.ts';

const timeoutMs = 10_000;
const attempts = 5;
const pauseMs = 500;

export interface MetadataRequest {
  method?: 'GET' | 'PUT';
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Milliseconds; default 10 s. 0 waits for ever. */
  timeout?: number;
}

/**
 * The answer's text, or `undefined` where the service has nothing at that path. A service that does not
 * answer is asked five times: on a machine that has just started the network may not be there yet.
 *
 * @throws UserError
 */
export async function metadata(url: string, options: MetadataRequest = {}): Promise<string | undefined> {
  for (let made = 1; ; made += 1) {
    try {
      return await ask(url, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (made === attempts) {
        throw new UserError(
          `The metadata service does not answer ${url} (${(error as Error).message}): check "registration.provider".`,
          { cause: error },
        );
      }
      // Nothing tells when a network comes up.
      await setTimeout(pauseMs * made, undefined, { signal: options.signal });
    }
  }
}

async function ask(url: string, options: MetadataRequest): Promise<string | undefined> {
  const { method = 'GET', headers, signal, timeout = timeoutMs } = options;
  const { statusCode, body } = await request(url, {
    method,
    headers,
    signal,
    headersTimeout: timeout,
    bodyTimeout: timeout,
  });
  const text = await body.text();
  if (statusCode === 404) {
    return undefined;
  }
  if (statusCode >= 400) {
    throw new Error(`HTTP ${statusCode}`);
  }
  return text;
}

/** @throws UserError when there is nothing at that path */
export async function requiredMetadata(url: string, options?: MetadataRequest): Promise<string> {
  const text = await metadata(url, options);
  if (text === undefined) {
    throw new UserError(`The metadata service has nothing at ${url}: is this machine of a worker pool?`);
  }
  return text;
}
