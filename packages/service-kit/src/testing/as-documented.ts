import { z } from 'zod';
import type { Answer } from './send.ts';

type Schema = Parameters<typeof z.fromJSONSchema>[0];
interface Documented {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
  components?: { schemas: Record<string, Schema> };
}
interface Response {
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: Schema & { $ref?: string } }>;
}

/**
 * What an answer has that the OpenAPI document does not say of it, in words; nothing when it is as documented.
 *
 * @param route method and path as they are in the document, as `GET /live`
 */
export function undocumented(document: object, route: string, answer: Omit<Answer, 'rawHeaders'>): string[] {
  const [method = '', path = ''] = route.split(' ');
  const { paths, components } = document as Documented;
  const response = paths[path]?.[method.toLowerCase()]?.responses[answer.status];
  if (response === undefined) return [`${route} answers ${answer.status}`];
  const missing = Object.keys(response.headers ?? {})
    .filter((name) => answer.headers[name.toLowerCase()] === undefined)
    .map((name) => `${route} ${answer.status} has no ${name}`);
  return [
    ...missing,
    ...bodyProblems(`${route} ${answer.status}`, response, components?.schemas ?? {}, answer),
  ];
}

function bodyProblems(
  what: string,
  { content }: Response,
  named: Record<string, Schema>,
  { headers, text }: Omit<Answer, 'rawHeaders'>,
): string[] {
  if (content === undefined) return text === '' ? [] : [`${what} has a body`];
  const type = headers['content-type']?.split(';')[0] ?? '';
  const schema = content[type]?.schema;
  if (schema === undefined) return [`${what} is ${type || 'of no type'}`];
  const body: unknown = type === 'application/json' ? JSON.parse(text) : text;
  const { error } = z.fromJSONSchema(named[schema.$ref?.split('/').at(-1) ?? ''] ?? schema).safeParse(body);
  return error ? [`${what}: ${z.prettifyError(error)}`] : [];
}
