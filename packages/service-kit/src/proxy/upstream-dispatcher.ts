import type { LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { boundWaiting, type WaitingLimits, waitingLimits } from './waiting-limit.ts';

export interface UpstreamDispatcherOptions {
  /** PEM certificates that are trusted beside the system's. */
  ca?: string;
  /** Most connections to one origin; further requests wait for one of them. Default 128. */
  connections?: number;
  /** How many wait, and how long; default: `waitingLimits`. */
  waiting?: WaitingLimits;
  /** Milliseconds for TCP and TLS; default 10,000. */
  connectTimeoutMs?: number;
  /** Milliseconds from the sent request to the answer's headers; default 300,000; 0 waits for ever. */
  headersTimeoutMs?: number;
  /** Milliseconds of silence inside an answer; default 0, for ever: live logs pause. */
  bodyTimeoutMs?: number;
  /** Finds the addresses of upstreams; default: the system's resolver. Certificates are still checked for the name. */
  lookup?: LookupFunction;
}

/** Largest header block of an answer: scope lists in headers are long. */
const maxHeaderSize = 128 * 1024;

/**
 * Connections to upstreams: a bounded pool for each origin, the busiest connection reused first.
 * TLS certificates are always verified, and no environment variable can turn that off.
 * Redirects are handed back and nothing is repeated: both are decisions of the caller.
 */
export function createUpstreamDispatcher(options: UpstreamDispatcherOptions = {}): Dispatcher {
  const agent = new Agent({
    connections: options.connections ?? 128,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize,
    headersTimeout: options.headersTimeoutMs ?? 300_000,
    bodyTimeout: options.bodyTimeoutMs ?? 0,
    connect: {
      timeout: options.connectTimeoutMs ?? 10_000,
      rejectUnauthorized: true,
      ...(options.ca ? { ca: [...getCACertificates('default'), options.ca] } : {}),
      ...(options.lookup ? { lookup: options.lookup } : {}),
    },
  });
  return agent.compose(boundWaiting(options.waiting ?? waitingLimits));
}
