import type { WaitingLimits } from '@docker-worker/service-kit';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { LifoPool, type LifoPoolOptions } from '../speed/lifo-pool.ts';
import { ForbiddenTargetError, type TargetGuard } from '../target/target-guard.ts';
import { type HttpsProxy, isExcepted } from './https-proxy.ts';
import { proxyConnector } from './proxy-connector.ts';

/** Connections to the two kinds of upstreams. */
export interface Upstreams extends AsyncDisposable {
  /** To the root URL's host, wherever that is. */
  root: Dispatcher;
  /** To hosts that clients name, as far as the guard lets them. */
  hosts: Dispatcher;
}

export interface UpstreamsOptions {
  /** Scheme, host and port of the root URL. */
  rootOrigin: string;
  guard: TargetGuard;
  /** PEM certificates that are trusted beside the system's. */
  ca?: string;
  connectTimeoutMs: number;
  /** 0 waits for ever. */
  headersTimeoutMs: number;
  httpsProxy?: HttpsProxy;
  /** Most connections to one origin; default: 128. Further requests wait for one. */
  connections?: number;
  /** How many wait, and how long; default: `waitingLimits`. */
  waiting?: WaitingLimits;
}

/** Largest header block of an answer: scope lists in headers are long. */
const maxHeaderSize = 128 * 1024;

/**
 * TLS certificates are always verified: no option and no variable turns that off. Redirects are handed back,
 * and nothing is repeated here.
 */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const tls = tlsOptions(options);
  const [toRoot, toHosts] = [connections(options, tls), connections(options, tls, options.guard)];
  const root = new LifoPool(options.rootOrigin, toRoot.settings);
  const hosts = new Agent({
    ...toHosts.settings,
    factory: (origin, settings) => new LifoPool(origin, settings as LifoPoolOptions),
  });
  return {
    root,
    hosts,
    async [Symbol.asyncDispose]() {
      await Promise.all([root.destroy(), hosts.destroy(), toRoot.destroy(), toHosts.destroy()]);
    },
  };
}

/** TLS itself is loaded by its first use, which in front of an HTTP deployment there is none of. */
function tlsOptions({ ca, connectTimeoutMs }: UpstreamsOptions) {
  return {
    timeout: connectTimeoutMs,
    rejectUnauthorized: true,
    ...(ca ? { ca: [...process.getBuiltinModule('node:tls').getCACertificates('default'), ca] } : {}),
  };
}

/** How connections are made; `destroy` lets go of the HTTP proxy between us and the upstreams, if there is one. */
function connections(
  { connectTimeoutMs, headersTimeoutMs, httpsProxy, connections = 128, waiting }: UpstreamsOptions,
  tls: ReturnType<typeof tlsOptions>,
  guard?: TargetGuard,
) {
  const direct = buildConnector({
    ...tls,
    ...(guard ? { lookup: guard.lookup } : {}),
  });
  const tunnel =
    httpsProxy &&
    proxyConnector({
      url: httpsProxy.url,
      connect: buildConnector(tls),
      secure: buildConnector(tls),
      timeoutMs: connectTimeoutMs,
      ...(guard ? { check: (host: string) => checkAddresses(host, guard) } : {}),
    });
  const settings: LifoPoolOptions = {
    connections,
    waiting,
    allowH2: false,
    maxHeaderSize,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: 0,
    connect: (target, done) => {
      // Addresses are not looked up, so they are judged here.
      const refusal = guard?.refusal(target.hostname);
      if (refusal) return void done(new ForbiddenTargetError(refusal), null);
      const isTunnelled =
        target.protocol === 'https:' &&
        !isExcepted(httpsProxy?.except ?? '', target.hostname, Number(target.port || 443));
      const connector = tunnel && isTunnelled ? tunnel.connector : direct;
      connector(target, done);
    },
  };
  return {
    settings,
    destroy: async () => tunnel?.destroy(),
  };
}

/** A proxy resolves names by itself. What we cannot resolve is for it to judge. */
function checkAddresses(host: string, guard: TargetGuard): Promise<void> {
  return new Promise((resolve, reject) => {
    guard.lookup(host, { all: true }, (error) => {
      if (error instanceof ForbiddenTargetError) reject(error);
      else resolve();
    });
  });
}
