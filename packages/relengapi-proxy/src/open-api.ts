import {
  anyMethod,
  empty,
  errorComponents,
  inPath,
  openApi,
  operation,
  refused,
} from '@docker-worker/service-kit/open-api';
import { z } from 'zod';

const Health = z.object({
  issuers: z
    .array(
      z.object({
        issuer: z.string().describe('Host, with a port that is not the usual one.'),
        reachable: z.boolean(),
        problem: z.string().optional(),
        seen: z.iso.datetime(),
      }),
    )
    .describe('Of each issuer of tokens: whether it is reached.'),
});

/** The routes as an OpenAPI document. */
export function openApiDocument(version: string): object {
  const forwarded = operation('Forward to the upstream of the route, with the route’s authorization', {
    default: empty('The answer of the upstream, whatever it is.'),
    404: refused('No route has this prefix; the message lists those there are.'),
    502: refused('The upstream could not be reached, or the issuer refuses to issue a token.'),
    503: refused('The issuer of tokens is in trouble; `Retry-After` says when to try again.'),
    504: refused('The upstream did not answer in time.'),
  });
  const paths = {
    '/{prefix}/{path}': {
      ...inPath({
        prefix: 'The prefix of a route of the configuration, which may have slashes or be empty.',
        path: 'Everything that follows, slashes and the query included.',
      }),
      ...anyMethod(forwarded),
    },
  };
  const description = 'Puts a token on each request and forwards it along the routes of the configuration.';
  return openApi({
    title: 'relengapi-proxy',
    version,
    description,
    paths,
    components: errorComponents,
    health: Health,
  });
}
