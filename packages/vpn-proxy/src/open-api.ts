import {
  anyMethod,
  empty,
  errorBodySchema,
  errorComponents,
  inPath,
  json,
  openApi,
  operation,
  refused,
} from '@docker-worker/service-kit/open-api';
import { z } from 'zod';

const State = z.object({
  tunnel: z.string().describe('The state of the tunnel, in the words of its program.'),
  detail: z.string().optional(),
  probe: z.enum(['waiting', 'running', 'passed', 'failed']),
  problem: z.string().optional(),
  since: z.iso.datetime(),
});

/** The routes as an OpenAPI document. */
export function openApiDocument(version: string): object {
  const forwarded = operation('Forward to the server behind the VPN', {
    default: empty('The answer of the server, whatever it is.'),
    502: refused('The server could not be reached, or hung up.'),
    503: {
      ...json(
        'The tunnel is not up, or the server behind it has not been reached yet.',
        errorBodySchema.extend({ state: State }),
      ),
      headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'string' } } },
    },
    504: refused('The server did not answer in time.'),
  });
  const path = 'Everything behind the first slash, the query included.';
  const paths = { '/{path}': { ...inPath({ path }), ...anyMethod(forwarded) } };
  const description = 'Forwards requests through a VPN to the one server of the configuration.';
  return openApi({
    title: 'vpn-proxy',
    version,
    description,
    paths,
    components: errorComponents,
    health: State,
  });
}
