import { join } from 'node:path';
import { startServer } from '@docker-worker/service-kit/testing/http-server';
import { testLostOutput } from '@docker-worker/service-kit/testing/lost-output';

testLostOutput({
  main: join(import.meta.dirname, 'main.ts'),
  path: '/q/v1/x',
  async prepare() {
    const upstream = await startServer((_, response) => response.end('done'));
    const credentials = { clientId: 'c', accessToken: 'the-token' };
    return Object.assign(upstream, { config: { rootUrl: upstream.url, credentials } });
  },
});
