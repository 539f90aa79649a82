import { join } from 'node:path';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { testLostOutput } from '@docker-worker/service-kit/testing/lost-output';

testLostOutput({
  main: join(import.meta.dirname, 'main.ts'),
  path: '/x',
  async prepare() {
    const upstream = await startServer((_, response) => response.end('done'));
    return Object.assign(upstream, { config: { upstream: upstream.url, tunnel: 'none', waitSeconds: 5 } });
  },
});
