import { join } from 'node:path';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { testLostOutput } from '@docker-worker/service-kit/testing/lost-output';

testLostOutput({
  main: join(import.meta.dirname, 'main.ts'),
  path: '/x',
  async prepare() {
    const upstream = await startServer((_, response) => response.end('done'));
    const routes = [{ prefix: '/', upstream: upstream.url, auth: { provider: 'none' } }];
    return Object.assign(upstream, { config: { settings: { routes } } });
  },
});
