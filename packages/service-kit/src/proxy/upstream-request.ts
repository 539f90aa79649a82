import type { ErrorBody } from '../server/error-body.ts';

/** What is sent to an upstream in the place of a client's request. */
export interface UpstreamRequest {
  /** How metrics and log call the way it takes. */
  route: string;
  /** Scheme and authority. */
  origin: string;
  /** Path and query, sent as they are. */
  path: string;
  /** Flat list of names and values, sent as they are, beside `Host`, which is the origin's unless given. */
  headers: string[];
  /** In place of the request's own body. */
  body?: Buffer;
  /**
   * Asked when the answer begins: what to send in the place of this request, of whose answer the client then sees
   * nothing; undefined when the answer is for the client. Rejections are told like those of `upstreamRequest`.
   */
  repeat?(status: number): Promise<UpstreamRequest> | undefined;
}

/** Thrown for a request that is not forwarded: the answer in its place. */
export class RefusedRequest extends Error {
  readonly statusCode: number;
  readonly body: ErrorBody;
  readonly headers: Record<string, string>;
  /** How metrics and log call it. */
  readonly route: string;

  /** @param cause what went wrong, for the log; a refusal without one is nothing out of the ordinary */
  constructor(
    statusCode: number,
    body: ErrorBody,
    {
      headers = {},
      route = 'none',
      cause,
    }: { headers?: Record<string, string>; route?: string; cause?: Error } = {},
  ) {
    super(body.message, { cause });
    this.statusCode = statusCode;
    this.body = body;
    this.headers = headers;
    this.route = route;
  }
}
