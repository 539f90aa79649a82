/** Replaces a text of a source file, which must be there. */
export interface Patch {
  /** From the root of the repository. */
  file: string;
  find: string;
  replace: string;
}

/** Something in tc-proxy that is there for speed or memory alone, and how the proxy is made to do without it. */
export interface Device {
  name: string;
  patches?: readonly Patch[];
  /** Plugins of the bundle that are left out. */
  plugins?: readonly string[];
  /** Flags of Node that are left out. */
  flags?: readonly string[];
  /** Variables of the environment that are left out. */
  variables?: readonly string[];
}

const speed = 'packages/tc-proxy/src/speed';
const kit = 'packages/service-kit/src';

export const devices: readonly Device[] = [
  {
    name: 'all answers of a turn written together',
    patches: [
      {
        file: `${speed}/coalesced-writes.ts`,
        find: 'if (pending.push(one) === 1) setImmediate(flushAll);',
        replace: 'queueMicrotask(() => one.flush());',
      },
    ],
  },
  {
    name: 'that, and head and body in one write',
    patches: [
      {
        file: `${speed}/coalesced-writes.ts`,
        find: 'if (pending.push(one) === 1) setImmediate(flushAll);',
        replace: 'one.flush();',
      },
    ],
  },
  {
    name: 'small bodies as text behind their head',
    patches: [
      {
        file: 'packages/tc-proxy/src/forward/exchange.ts',
        find: "response.end(first.toString('latin1'), 'latin1')",
        replace: 'response.end(first)',
      },
    ],
  },
  {
    name: 'pool that uses the last connection first',
    patches: [
      {
        file: 'packages/tc-proxy/src/upstream/upstreams.ts',
        find: 'import { Agent,',
        replace: 'import { Pool, Agent,',
      },
      {
        file: 'packages/tc-proxy/src/upstream/upstreams.ts',
        find: 'new LifoPool(options.rootOrigin, toRoot.settings)',
        replace: 'new Pool(options.rootOrigin, { ...toRoot.settings, pipelining: 1 })',
      },
    ],
  },
  {
    name: 'one timer for the heads of all answers',
    patches: [
      {
        file: `${speed}/pooled-client.ts`,
        find: 'this.#isWatched = body === null || body === undefined || Buffer.isBuffer(body);',
        replace: 'this.#isWatched = false;',
      },
    ],
  },
  {
    name: 'shared read buffer',
    patches: [
      {
        file: 'packages/tc-proxy/src/upstream/upstreams.ts',
        find: 'onread: sharedReadBuffer,',
        replace: '',
      },
    ],
  },
  {
    name: 'HMAC of two one-shot hashes',
    patches: [
      {
        file: `${kit}/hawk/hawk-key.ts`,
        find: 'import { hash }',
        replace: 'import { createHmac, hash }',
      },
      {
        file: `${kit}/hawk/hawk-key.ts`,
        find: 'constructor(secret: string) {',
        replace: 'readonly #secret: string; constructor(secret: string) { this.#secret = secret;',
      },
      {
        file: `${kit}/hawk/hawk-key.ts`,
        find: 'mac(text: string): string {',
        replace:
          "mac(text: string): string { return createHmac('sha256', this.#secret).update(text).digest('base64');",
      },
    ],
  },
  {
    name: 'random bytes of nonces in bulk',
    patches: [
      {
        file: `${kit}/hawk/hawk-header.ts`,
        find: 'import { randomFillSync }',
        replace: 'import { randomBytes, randomFillSync }',
      },
      {
        file: `${kit}/hawk/hawk-header.ts`,
        find: 'function nextNonce(): string {',
        replace: "function nextNonce(): string { return randomBytes(nonceBytes).toString('base64url');",
      },
    ],
  },
  {
    name: 'names of headers remembered',
    patches: [
      {
        file: `${kit}/proxy/header-hygiene.ts`,
        find: 'const known = normalNames.get(name);',
        replace: 'const known = undefined;',
      },
      {
        file: `${kit}/proxy/header-hygiene.ts`,
        find: 'if (normalNames.size < mostNames && name.length <= longestName) normalNames.set(name, normal);',
        replace: '',
      },
    ],
  },
  {
    name: 'requests counted in plain numbers',
    patches: [
      {
        file: `${kit}/telemetry/request-metrics.ts`,
        find: "new Counter({\n      name: 'proxy_requests_total',",
        replace: "(this as any).counter = new Counter({\n      name: 'proxy_requests_total',",
      },
      {
        file: `${kit}/telemetry/request-metrics.ts`,
        find: "this.#cell(methods.has(method) ? method : 'other', status, route).count += 1;",
        replace:
          "(this as any).counter.inc({ method: methods.has(method) ? method : 'other', status, route });",
      },
    ],
  },
  {
    name: 'no stream for requests without a body',
    patches: [
      {
        file: 'packages/tc-proxy/src/tc-proxy-app.ts',
        find: 'http: { optimizeEmptyRequests: true },',
        replace: '',
      },
    ],
  },
  {
    name: 'one timeout of a connection for all of its requests',
    patches: [
      {
        file: `${kit}/server/service-server.ts`,
        find: 'keepAliveTimeout: 0,',
        replace: 'keepAliveTimeout: 72_000,',
      },
      {
        file: `${kit}/server/service-server.ts`,
        find: 'closeSilentConnections(server, { silentMs, halfClosedMs });',
        replace: '',
      },
    ],
  },
  {
    name: 'at most 128 connections to the upstream',
    patches: [
      {
        file: 'packages/tc-proxy/src/upstream/upstreams.ts',
        find: 'connections = 128,',
        replace: 'connections = 1024,',
      },
    ],
  },
  {
    name: 'collection of the young generation as bodies pass',
    patches: [
      {
        file: `${kit}/io/streamed-bytes.ts`,
        find: 'sinceCollection += bytes;',
        replace: 'return;',
      },
    ],
  },
  { name: 'young generation of at most 8 MiB', flags: ['--max-semi-space-size=8'] },
  { name: "dependencies' unused requires deferred", plugins: ['deferred requires'] },
  { name: "Node's modules loaded lazily", plugins: ['lazy builtins'] },
  { name: 'compile cache of the image', variables: ['NODE_COMPILE_CACHE'] },
];
