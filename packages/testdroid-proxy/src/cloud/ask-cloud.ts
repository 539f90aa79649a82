import { gatewayError } from '@docker-worker/service-kit';
import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { CloudError } from './cloud-error.ts';

export interface CloudRequest<Answer extends z.ZodType> {
  url: string;
  method: 'GET' | 'POST' | 'DELETE';
  /** Sent as a form, as this cloud wants its bodies. A list is sent as `key[]`. */
  form?: Record<string, string | number | readonly (string | number)[]>;
  /** Value of `Authorization`. */
  authorization?: string;
  answer: Answer;
  signal: AbortSignal;
}

const largestQuotation = 300;

/**
 * One request to the cloud. Its own words are quoted only where it refuses what was asked for: where it refuses
 * who asks, it repeats their credentials.
 *
 * @throws CloudError
 */
export async function askCloud<Answer extends z.ZodType>(
  dispatcher: Dispatcher,
  { url, method, form, authorization, answer, signal }: CloudRequest<Answer>,
): Promise<z.output<Answer>> {
  const { origin, host, pathname, search } = new URL(url);
  const what = `${method} ${pathname}`;
  signal.throwIfAborted();
  let statusCode: number;
  let text: string;
  try {
    const response = await dispatcher.request({
      ...{ origin, path: `${pathname}${search}`, method, signal },
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: form === undefined ? (method === 'POST' ? '' : null) : encoded(form),
    });
    statusCode = response.statusCode;
    text = await response.body.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new CloudError(gatewayError(error, { method, host }).body.message);
  }
  if (statusCode < 200 || statusCode > 299) {
    const said = statusCode === 401 || pathname.endsWith('/oauth/token') ? '' : quotation(text);
    throw new CloudError(`the cloud answered ${statusCode} to ${what}${said}`, statusCode);
  }
  const parsed = answer.safeParse(parseJson(text));
  if (!parsed.success) throw new CloudError(`the cloud's answer to ${what} was not understood`, statusCode);
  return parsed.data;
}

function encoded(form: NonNullable<CloudRequest<z.ZodType>['form']>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(form)) {
    if (typeof value === 'object') for (const item of value) parameters.append(`${key}[]`, String(item));
    else parameters.append(key, String(value));
  }
  return parameters.toString();
}

function quotation(text: string): string {
  const message = (parseJson(text) as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? `: ${message.slice(0, largestQuotation)}` : '';
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
