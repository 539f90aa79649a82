import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestBody } from '@docker-worker/service-kit';
import type { CredentialSnapshot } from '../signing/credential-snapshot.ts';
import type { Target } from '../target/resolve-target.ts';

/** The one request that is being forwarded, and what is the same for all of its attempts. */
export interface Forwarded {
  target: Target;
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer | RequestBody | null;
  /** Of `performance.now`. */
  startedAt: number;
  /** What the upstream gets beside the signature: a flat list of names and values. */
  headers: readonly string[];
  /** That the last attempt was signed with. */
  snapshot: CredentialSnapshot;
  /** Set for WebSocket requests: the client's connection, and what it has sent behind the request. */
  upgrade: { socket: Duplex; head: Buffer } | undefined;
}
