import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { gatewayError, rawPath } from '@docker-worker/service-kit';
import type { HttpTarget } from './http-target.ts';
import { outgoingHeaders } from './outgoing-headers.ts';

export interface UpgradeRelayOptions {
  target: HttpTarget;
  lookup: LookupFunction;
  ca?: string;
}

/**
 * Connections that stop to be HTTP, WebSockets among them: the handshake is forwarded, then bytes both
 * ways. An upstream that does not agree answers in its own words.
 */
export class UpgradeRelay {
  readonly #options: UpgradeRelayOptions;
  readonly #open = new Set<Duplex>();

  constructor(options: UpgradeRelayOptions) {
    this.#options = options;
  }

  relay(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { target } = this.#options;
    this.#track(socket);
    const outgoing = this.#ask(request);
    this.#track(outgoing);
    socket.once('close', () => outgoing.destroy());
    outgoing.on('upgrade', (answer, upstream, first) => {
      this.#track(upstream);
      socket.write(headOf(answer, []));
      if (first.length > 0) socket.write(first);
      if (head.length > 0) upstream.write(head);
      socket.pipe(upstream).pipe(socket);
      upstream.once('close', () => socket.destroy());
      socket.once('close', () => upstream.destroy());
    });
    outgoing.on('response', (answer) => {
      socket.write(headOf(answer, ['Connection', 'close']));
      answer.pipe(socket);
    });
    outgoing.on('error', (error) => {
      const { statusCode, body } = gatewayError(error, { method: request.method ?? '', host: target.host });
      refuse(socket, statusCode, body);
    });
    outgoing.end();
  }

  /** Cuts every connection. */
  cut(): void {
    for (const stream of this.#open) stream.destroy();
  }

  #ask(request: IncomingMessage): ClientRequest {
    const { target, lookup, ca } = this.#options;
    const { hostname, port, protocol } = new URL(target.origin);
    const headers = outgoingHeaders(request, target.host);
    headers.push('Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? '');
    const options = {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port || undefined,
      method: request.method,
      path: `${target.base}${rawPath(request.url ?? '/')}`,
      headers,
      lookup,
      agent: false as const,
    };
    return protocol === 'https:'
      ? httpsRequest({ ...options, ...(ca ? { ca: [...getCACertificates('default'), ca] } : {}) })
      : httpRequest(options);
  }

  #track(stream: Duplex | ClientRequest): void {
    const tracked = stream as Duplex;
    this.#open.add(tracked);
    tracked.once('close', () => this.#open.delete(tracked));
    // Its end is what counts, and `close` tells that.
    tracked.on('error', () => {});
  }
}

/** Answers in place of the upstream and ends the connection. */
export function refuse(socket: Duplex, status: number, body: object, headers: string[] = []): void {
  const text = JSON.stringify(body);
  const lines = ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text))];
  socket.end(`${head(status, '', [...lines, ...headers, 'Connection', 'close'])}${text}`);
}

function headOf(answer: IncomingMessage, added: string[]): string {
  const own = added.length === 0 ? answer.rawHeaders : withoutFraming(answer.rawHeaders);
  return head(answer.statusCode ?? 502, answer.statusMessage ?? '', [...own, ...added]);
}

/** Node has decoded the body; without its framing it ends with the connection. */
function withoutFraming(headers: string[]): string[] {
  const dropped = new Set(['connection', 'transfer-encoding', 'keep-alive']);
  return headers.filter((_, index) => !dropped.has(headers[index - (index % 2)]?.toLowerCase() ?? ''));
}

function head(status: number, reason: string, headers: string[]): string {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let index = 0; index < headers.length; index += 2)
    text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n`;
}
