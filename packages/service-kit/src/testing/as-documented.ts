import { z } from 'zod';
import type { Answer } from './send.ts';

interface Documented {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
}
interface Response {
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: Parameters<typeof z.fromJSONSchema>[0] }>;
}

/**
 * What an answer has that the OpenAPI document does not say of it, in words; nothing when it is as documented.
 *
 * @param route method and path as they are in the document, as `GET /live`
 */
export function undocumented(document: object, route: string, answer: Omit<Answer, 'rawHeaders'>): string[] {
  const [method = '', path = ''] = route.split(' ');
  const response = (document as Documented).paths[path]?.[method.toLowerCase()]?.responses[answer.status];
  if (response === undefined) return [`${route} answers ${answer.status}`];
  const missing = Object.keys(response.headers ?? {})
    .filter((name) => answer.headers[name.toLowerCase()] === undefined)
    .map((name) => `${route} ${answer.status} has no ${name}`);
  return [...missing, ...bodyProblems(`${route} ${answer.status}`, response, answer)];
}

function bodyProblems(
  what: string,
  { content }: Response,
  { headers, text }: Omit<Answer, 'rawHeaders'>,
): string[] {
  if (content === undefined) return text === '' ? [] : [`${what} has a body`];
  const type = headers['content-type']?.split(';')[0] ?? '';
  const schema = content[type]?.schema;
  if (schema === undefined) return [`${what} is ${type || 'of no type'}`];
  const body: unknown = type === 'application/json' ? JSON.parse(text) : text;
  const { error } = z.fromJSONSchema(schema).safeParse(body);
  return error ? [`${what}: ${z.prettifyError(error)}`] : [];
}
