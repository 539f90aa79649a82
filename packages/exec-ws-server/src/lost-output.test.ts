import { join } from 'node:path';
import { testLostOutput } from '@docker-worker/service-kit/testing/lost-output';

testLostOutput({
  main: join(import.meta.dirname, 'main.ts'),
  path: '/',
  prepare: async () => ({
    config: { container: 'none', secret: 'a-secret-a-secret-a-secret', unrestricted: true },
    async [Symbol.asyncDispose]() {},
  }),
});
