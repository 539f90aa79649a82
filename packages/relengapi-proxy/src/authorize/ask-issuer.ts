import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { IssuerError } from './issuer-error.ts';

export interface IssuerRequest<Answer extends z.ZodType> {
  dispatcher: Dispatcher;
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Shape of the answer's JSON. */
  answer: Answer;
}

const timeoutMs = 10_000;
const longestReason = 200;

/** How issuers word a refusal: RelengAPI, OAuth 2. Nothing else of an answer is shown: it may hold secrets. */
const Refusal = z.union([
  z.object({ error: z.object({ description: z.string() }) }).transform(({ error }) => error.description),
  z
    .object({ error: z.string(), error_description: z.string() })
    .transform((refusal) => refusal.error_description),
  z.object({ error: z.string() }).transform(({ error }) => error),
]);

/** Posts to a token endpoint, once. Redirects are not followed. @throws IssuerError */
export async function askIssuer<Answer extends z.ZodType>(
  request: IssuerRequest<Answer>,
): Promise<z.output<Answer>> {
  const { origin, host, pathname, search } = new URL(request.url);
  let statusCode: number;
  let text: string;
  try {
    const answer = await request.dispatcher.request({
      origin,
      path: `${pathname}${search}`,
      method: 'POST',
      headers: request.headers,
      body: request.body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    statusCode = answer.statusCode;
    text = await answer.body.text();
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') throw IssuerError.unavailable(host, 'it does not answer');
    throw IssuerError.unreachable(host, error);
  }
  const json = parseJson(text);
  if (statusCode === 429 || statusCode >= 500)
    throw IssuerError.unavailable(host, `it answered ${statusCode}`);
  if (statusCode !== 200) {
    const refusal = Refusal.safeParse(json);
    const reason = refusal.success ? `: ${refusal.data.slice(0, longestReason)}` : '';
    throw IssuerError.refused(host, `it answered ${statusCode}${reason}`);
  }
  const parsed = request.answer.safeParse(json);
  if (!parsed.success) throw IssuerError.refused(host, 'its answer holds no token');
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
