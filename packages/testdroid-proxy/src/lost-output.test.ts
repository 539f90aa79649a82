import { join } from 'node:path';
import { testLostOutput } from '@docker-worker/service-kit/testing/lost-output';

testLostOutput({
  main: join(import.meta.dirname, 'main.ts'),
  path: '/',
  prepare: async () => ({
    config: { cloudUrl: 'http://127.0.0.1:1', apiKey: 'a-secret' },
    async [Symbol.asyncDispose]() {},
  }),
});
