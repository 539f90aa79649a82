import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger, RequestBody, Tunnels } from '@docker-worker/service-kit';
import type { CredentialHolder } from '../signing/credential-holder.ts';
import type { Target } from '../target/resolve-target.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import type { RetryPolicy } from './retry-policy.ts';

/** What all exchanges of a proxy share. */
export interface ExchangeContext {
  credentials: CredentialHolder;
  upstreams: Pick<Upstreams, 'root' | 'hosts'>;
  retry: RetryPolicy;
  logger: Logger;
  tunnels: Tunnels;
  record: ExchangeRecord;
}

/** The one request that is being forwarded, and what is the same for all of its attempts. */
export interface ForwardedRequest {
  target: Target;
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer | RequestBody | null;
  /** Of `performance.now`. */
  startedAt: number;
  /** Set for WebSocket requests: the client's connection, and what it has sent behind the request. */
  upgrade?: { socket: Duplex; head: Buffer };
}
