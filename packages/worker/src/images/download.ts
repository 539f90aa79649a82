import { type Dispatcher, request } from 'undici';
import { mayPass, type RetryLimits, retry } from '../async/retry.ts';
import { refusalText } from '../queue/refusal-text.ts';
import { guardedDispatcher, requireAllowedAddress } from './guarded-address.ts';

const mostRedirects = 5;
/** A connection that has brought nothing for so long is given up. */
const idleMs = 60_000;

export interface DownloadOptions {
  backOff: RetryLimits;
  signal: AbortSignal;
  /** Told when a connection was lost or refused and another is tried after a pause. */
  onRetry?(error: Error, pauseMs: number): void;
}

export interface Download {
  /** As the server encodes them for the way; see `contentEncoding`. */
  bytes: AsyncIterable<Buffer>;
  contentEncoding: string | undefined;
  /** Of the bytes, when the server tells. */
  length: number | undefined;
}

/**
 * Starts a download that survives lost connections: it goes on with the byte that it got to. Its bytes are
 * as many as the server has promised, or reading them fails.
 *
 * @param url is asked for each connection, so that a signature in it is fresh
 */
export async function openDownload(url: () => string, options: DownloadOptions): Promise<Download> {
  const trying = { ...options.backOff, signal: options.signal, onRetry: options.onRetry };
  const first = await retry(() => get(url(), {}, options.signal), trying);
  const length = numberOf(first.headers['content-length']);
  return { bytes: bytes(), contentEncoding: textOf(first.headers['content-encoding']), length };

  async function* bytes(): AsyncGenerator<Buffer> {
    let received = 0;
    let lost = 0;
    let chunks = chunksOf(first);
    for (;;) {
      let next: IteratorResult<Buffer>;
      try {
        next = await chunks.next();
        if (next.done && length !== undefined && received !== length) {
          throw new Truncated(received, length);
        }
      } catch (error) {
        options.signal.throwIfAborted();
        lost += 1;
        if (lost >= (options.backOff.maxAttempts ?? 1) || !mayPass(error)) {
          throw error;
        }
        chunks = chunksOf(await retry(() => resume(received), trying));
        continue;
      }
      if (next.done) {
        return;
      }
      received += next.value.length;
      yield next.value;
    }
  }

  /** A server that cannot begin in the middle sends everything; what was there before is dropped then. */
  async function resume(from: number): Promise<Response> {
    const etag = textOf(first.headers.etag);
    const headers = { range: `bytes=${from}-`, ...(etag === undefined ? {} : { 'if-range': etag }) };
    const response = await get(url(), headers, options.signal);
    const whole = response.statusCode === 200;
    const size = numberOf(response.headers['content-length']);
    if (length !== undefined && size !== undefined && (whole ? 0 : from) + size !== length) {
      await response.body.dump();
      throw new Error('the artifact has changed while it was downloaded');
    }
    return { ...response, skip: whole ? from : 0 };
  }
}

interface Response extends Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'> {
  /** How many of its first bytes are to be dropped. */
  skip: number;
}

async function get(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  for (let at = url, made = 0; made <= mostRedirects; made += 1) {
    requireAllowedAddress(at);
    const times = { headersTimeout: idleMs, bodyTimeout: idleMs };
    const options = { headers, signal, ...times, dispatcher: guardedDispatcher };
    const { statusCode, headers: answered, body } = await request(at, options);
    if (statusCode === 200 || statusCode === 206) {
      return { statusCode, headers: answered, body, skip: 0 };
    }
    const location = textOf(answered.location);
    if (statusCode < 300 || statusCode >= 400 || location === undefined) {
      // Whom a redirect leads to may have said anything.
      throw new RefusedDownload(statusCode, made === 0 ? refusalText(await body.text()) : undefined);
    }
    await body.dump();
    at = new URL(location, at).href;
  }
  throw new Error('too many redirects');
}

async function* chunksOf({ body, skip }: Response): AsyncGenerator<Buffer> {
  let toSkip = skip;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const rest = chunk.subarray(toSkip);
    toSkip -= chunk.length - rest.length;
    if (rest.length > 0) {
      yield rest;
    }
  }
}

function numberOf(header: string | string[] | undefined): number | undefined {
  return header === undefined ? undefined : Number(header);
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** The server has answered, but not with what was asked for. */
class RefusedDownload extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, reason?: string) {
    super(reason === undefined ? `HTTP status ${statusCode}` : `HTTP status ${statusCode}, ${reason}`);
    this.name = 'RefusedDownload';
    this.statusCode = statusCode;
  }
}

class Truncated extends Error {
  readonly code = 'ECONNRESET';

  constructor(received: number, length: number) {
    super(`only ${received} of ${length} bytes arrived`);
    this.name = 'Truncated';
  }
}
