import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';

export interface Answer {
  status: number;
  /** Names and values in order, as they came over the wire. */
  rawHeaders: string[];
  headers: IncomingMessage['headers'];
  text: string;
}

export interface SendOptions extends RequestOptions {
  /** Flat list of names and values, sent as it is. */
  rawHeaders?: string[];
  body?: string | Buffer;
}

/** Sends one request on a connection of its own, without rewriting path or headers. */
export function send(
  port: number,
  path: string,
  { rawHeaders, body, ...options }: SendOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      agent: false,
      ...(rawHeaders ? { headers: ['Host', `127.0.0.1:${port}`, ...rawHeaders], setHost: false } : {}),
      ...options,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, rawHeaders, headers } = response;
        resolve({ status: statusCode, rawHeaders, headers, text: Buffer.concat(chunks).toString() });
      });
    });
    request.end(body);
  });
}

/** All values of one header, in order. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
  );
}
