import { testHostileSockets } from '@docker-worker/service-kit/testing/hostile-sockets';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { startProxy } from './testing/start-proxy.ts';

testHostileSockets({
  path: '/x',
  async open() {
    const upstream = await startServer((_, response) => response.end('done'));
    const proxy = await startProxy({ upstream: upstream.url });
    return {
      port: proxy.port,
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await upstream[Symbol.asyncDispose]();
      },
    };
  },
});
