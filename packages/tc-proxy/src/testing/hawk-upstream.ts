import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startServer, type TestServer } from '@docker-worker/service-kit/testing/http-server';
import Hawk from 'hawk';

/** The client that the upstream knows; temporary credentials are derived from it. */
export const permanent = { clientId: 'tester', accessToken: 'no-secret-but-long-enough' };

/** Who asked, as the upstream sees it. */
export interface Caller {
  clientId: string;
  /** Scopes that the request may use. */
  scopes: string[];
}

type Handler = (request: IncomingMessage, response: ServerResponse, caller: Caller) => void;

interface Ext {
  certificate?: { seed: string; scopes: string[]; issuer?: string };
  authorizedScopes?: string[];
}

/**
 * A Taskcluster service as far as authentication goes: verifies header and bewit signatures with the hawk
 * package, derives temporary credentials from their certificate, applies authorized scopes. Answers 401
 * as the auth service does; all else is up to the handler.
 */
export function startHawkUpstream(
  handler: Handler,
  {
    tls,
    clients = [permanent],
  }: { tls?: { key: string; cert: string }; clients?: (typeof permanent)[] } = {},
): Promise<TestServer> {
  return startServer(async (request, response) => {
    try {
      const caller = await authenticate(request, clients);
      handler(request, response, caller);
    } catch (error) {
      request.resume();
      const message = error instanceof Error ? error.message : String(error);
      answerJson(response, 401, { code: 'AuthenticationFailed', message });
    }
  }, tls);
}

export function answerJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** `given` covers `required`, with `*` at the end of a scope as in Taskcluster. */
export function covers(given: readonly string[], required: string): boolean {
  return given.some((scope) =>
    scope.endsWith('*') ? required.startsWith(scope.slice(0, -1)) : scope === required,
  );
}

/** Who signed this request; rejects when nobody did whom the upstream knows. */
export async function authenticate(request: IncomingMessage, clients = [permanent]): Promise<Caller> {
  let ext: Ext = {};
  let clientId = '';
  async function lookUp(id: string) {
    clientId = id;
    ext = extOf(request);
    const issuer = clients.find((client) => client.clientId === (ext.certificate?.issuer ?? id));
    if (!issuer) throw new Error(`unknown client ${id}`);
    const key = ext.certificate
      ? temporaryToken(issuer.accessToken, ext.certificate.seed)
      : issuer.accessToken;
    return { key, algorithm: 'sha256' as const, user: id };
  }
  // Throws unless the MAC covers the very method, URL, host and ext that arrived.
  if (request.url?.includes('bewit=')) await Hawk.uri.authenticate(request, lookUp);
  else await Hawk.server.authenticate(request, lookUp);

  const own = ext.certificate ? ext.certificate.scopes : ['*'];
  for (const scope of ext.authorizedScopes ?? []) {
    if (!covers(own, scope)) throw new Error('Supplied credentials do not satisfy authorizedScopes');
  }
  return { clientId, scopes: ext.authorizedScopes ?? own };
}

/** The claims in the signature's `ext`, which the MAC covers. */
export function extOf(request: IncomingMessage): Ext {
  const bewit = /[?&]bewit=([^&]*)/.exec(request.url ?? '')?.[1];
  const ext = bewit
    ? Buffer.from(bewit, 'base64url').toString().split('\\')[3]
    : /ext="([^"]*)"/.exec(request.headers.authorization ?? '')?.[1];
  return ext ? (JSON.parse(Buffer.from(ext, 'base64').toString()) as Ext) : {};
}

/** As Taskcluster makes the access token of temporary credentials. */
function temporaryToken(accessToken: string, seed: string): string {
  return createHmac('sha256', accessToken).update(seed).digest('base64url');
}
