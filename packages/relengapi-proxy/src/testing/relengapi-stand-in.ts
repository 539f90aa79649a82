import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ListeningServer, listening } from '@docker-worker/service-kit/testing/listening';
import { z } from 'zod';
import { type Claims, signJws, verifyJws } from './jws.ts';

export interface StandInOptions {
  /** Address to listen on; default 127.0.0.1. */
  host?: string;
  issuingToken?: string;
  /** What the issuing token may hand on. */
  mayIssue?: string[];
}

export interface RelengapiStandIn extends AsyncDisposable {
  url: string;
  /** Scheme and authority of the storage that downloads are redirected to. */
  storageUrl: string;
  issuingToken: string;
  /** Bodies of the token requests that arrived. */
  issued: unknown[];
  /** Authorization headers that arrived at the API, and at the storage. */
  seen: { api: (string | undefined)[]; storage: (string | undefined)[] };
  /** Takes the place of the issuer's answer while it is set; true when it has answered. */
  interfere: ((response: ServerResponse) => boolean) | undefined;
  /** Status for tokens that are not valid; 400 as RelengAPI's unless set. */
  refusal: number;
  /** Takes no token at all while it is set. */
  refuseAll: boolean;
  /** From now on tokens issued before are refused. */
  replaceKey(): void;
  /** Puts a file in the store and returns its digest. */
  store(content: Buffer, visibility: 'public' | 'internal'): string;
}

const TokenRequest = z.strictObject({
  typ: z.literal('tmp'),
  expires: z.iso.datetime({ offset: true }),
  permissions: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
});

const longestLifeMs = 86_400_000;

/**
 * What is left to talk to in place of RelengAPI: an issuer of temporary tokens, a tooltool that verifies
 * them and redirects downloads to signed URLs, and the storage behind those, which refuses any token.
 */
export async function startRelengapiStandIn(options: StandInOptions = {}): Promise<RelengapiStandIn> {
  const { host = '127.0.0.1', issuingToken = `issuing-${randomBytes(16).toString('hex')}` } = options;
  const mayIssue = options.mayIssue ?? ['tooltool.download.public', 'tooltool.download.internal'];
  const files = new Map<string, { content: Buffer; visibility: 'public' | 'internal' }>();
  const storageKey = randomBytes(16).toString('hex');
  let key = randomBytes(32).toString('hex');

  const storage = await serve(host, (request, response) => {
    standIn.seen.storage.push(request.headers.authorization);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://storage');
    const file = files.get(pathname.slice(1));
    if (request.headers.authorization)
      return void response.writeHead(400).end('only one way to authenticate');
    if (!file || searchParams.get('signature') !== signature(pathname))
      return void response.writeHead(403).end();
    response.writeHead(200, { 'content-length': file.content.length }).end(file.content);
  });

  const api = await serve(host, async (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (request.method === 'POST' && path === '/tokenauth/tokens') return issue(request, response);
    standIn.seen.api.push(request.headers.authorization);
    const claims = caller(request);
    if (!claims || standIn.refuseAll)
      return fail(response, standIn.refusal, 'Bad Request', 'Invalid Authorization header');
    const digest = /^\/tooltool\/sha512\/([0-9a-f]{128})$/.exec(path)?.[1];
    if (digest) return redirect(digest, claims, response);
    const body = await bodyOf(request);
    answer(response, 200, {
      method: request.method,
      url: request.url,
      headers: request.headers,
      permissions: claims.prm,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
  });

  async function issue(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await bodyOf(request)).toString();
    standIn.issued.push(JSON.parse(text));
    if (standIn.interfere?.(response)) return;
    if (request.headers.authorization !== `Bearer ${issuingToken}`)
      return fail(response, 403, 'Forbidden', 'You do not have permission to issue tokens');
    const asked = TokenRequest.safeParse(JSON.parse(text));
    if (!asked.success) return fail(response, 400, 'Bad Request', 'invalid token request');
    const { expires, permissions } = asked.data;
    if (permissions.some((permission) => !mayIssue.includes(permission)))
      return fail(response, 400, 'Bad Request', 'bad permissions');
    const left = Date.parse(expires) - Date.now();
    if (left <= 0 || left > longestLifeMs) return fail(response, 400, 'Bad Request', 'bad expires');
    const exp = Math.floor(Date.parse(expires) / 1000);
    const nbf = Math.floor(Date.now() / 1000);
    const token = signJws({ iss: 'ra2', typ: 'tmp', nbf, exp, prm: permissions, mta: {} }, key);
    answer(response, 200, { result: { typ: 'tmp', token, expires, permissions, metadata: {} } });
  }

  function caller(request: IncomingMessage): Claims | undefined {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    return token ? verifyJws(token, key) : undefined;
  }

  function redirect(digest: string, { prm }: Claims, response: ServerResponse): void {
    const file = files.get(digest);
    if (!file) {
      fail(response, 404, 'Not Found', 'no such file');
      return;
    }
    if (!prm.includes(`tooltool.download.${file.visibility}`)) {
      fail(response, 403, 'Forbidden', 'no permission to download this file');
      return;
    }
    const location = `${storage.url}/${digest}?expires=60&signature=${signature(`/${digest}`)}`;
    response.writeHead(302, { location, 'content-type': 'text/plain' }).end('found');
  }

  function signature(path: string): string {
    return createHmac('sha256', storageKey).update(path).digest('hex');
  }

  const standIn: RelengapiStandIn = {
    url: api.url,
    storageUrl: storage.url,
    issuingToken,
    issued: [],
    seen: { api: [], storage: [] },
    interfere: undefined,
    refusal: 400,
    refuseAll: false,
    replaceKey() {
      key = randomBytes(32).toString('hex');
    },
    store(content, visibility) {
      const digest = createHash('sha512').update(content).digest('hex');
      files.set(digest, { content, visibility });
      return digest;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([api, storage].map((server) => server[Symbol.asyncDispose]()));
    },
  };
  return standIn;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

function serve(host: string, handler: Handler): Promise<ListeningServer> {
  const server = createServer((request, response) => {
    Promise.resolve(handler(request, response)).catch(() => response.destroy());
  });
  return listening(server, { host, port: 0 });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** In the form of RelengAPI's errors. */
function fail(response: ServerResponse, code: number, name: string, description: string): void {
  answer(response, code, { error: { code, name, description }, request_id: 'stand-in' });
}
