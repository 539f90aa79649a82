import type { ServerResponse } from 'node:http';
import type { ErrorBody } from '@docker-worker/service-kit';

/** An answer of our own as text; `headers` is a flat list of names and values. */
export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: readonly string[],
): void {
  answer(response, status, 'text/plain; charset=utf-8', text, headers);
}

/** A failure in Taskcluster's own form; `headers` is a flat list of names and values. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: ErrorBody,
  headers: readonly string[],
): void {
  answer(response, status, 'application/json', JSON.stringify(body), headers);
}

function answer(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: readonly string[],
): void {
  const own = ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(text))];
  response.writeHead(status, [...own, ...headers]).end(text);
}
