import type { LeftOut } from '../patched-bundle.ts';

/** Something in tc-proxy that is there for speed or memory alone, and how the proxy is made to do without it. */
export interface Device extends LeftOut {
  /** What its users see of it. */
  affects: 'requests' | 'bodies' | 'start';
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
    affects: 'requests',
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
    affects: 'requests',
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
    affects: 'requests',
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
    affects: 'requests',
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
    name: 'HMAC of two one-shot hashes',
    affects: 'requests',
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
    affects: 'requests',
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
    name: 'no stream for requests without a body',
    affects: 'requests',
    patches: [
      {
        file: 'packages/tc-proxy/src/tc-proxy-app.ts',
        find: 'http: { optimizeEmptyRequests: true },',
        replace: '',
      },
    ],
  },
  {
    name: 'collection of the young generation as bodies pass',
    affects: 'bodies',
    patches: [
      {
        file: `${kit}/io/streamed-bytes.ts`,
        find: 'sinceCollection += bytes;',
        replace: 'return;',
      },
    ],
  },
  { name: 'young generation of at most 8 MiB', affects: 'requests', flags: ['--max-semi-space-size=8'] },
  { name: "dependencies' unused requires deferred", affects: 'start', plugins: ['deferred requires'] },
  { name: "Node's modules loaded lazily", affects: 'start', plugins: ['lazy builtins'] },
  { name: 'compile cache of the image', affects: 'start', variables: ['NODE_COMPILE_CACHE'] },
];
