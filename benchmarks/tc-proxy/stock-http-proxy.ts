import { HawkKey, hawkHeader } from '@docker-worker/service-kit';
import httpProxy from '@fastify/http-proxy';
import Fastify from 'fastify';

/**
 * What one gets from `@fastify/http-proxy` as it comes, with a signature added to each request.
 *
 *   node stock-http-proxy.ts UPSTREAM_PORT PORT
 */
const [upstreamPort = '', port = ''] = process.argv.slice(2);
const credentials = { id: 'tester', key: new HawkKey('no-secret-but-long-enough') };

const app = Fastify({ logger: false });
await app.register(httpProxy, {
  upstream: `http://127.0.0.1:${upstreamPort}`,
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      authorization: hawkHeader(
        {
          method: request.method,
          host: '127.0.0.1',
          port: Number(upstreamPort),
          resource: request.raw.url ?? '/',
        },
        credentials,
      ),
    }),
  },
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
