import { testHostileSockets } from '@docker-worker/service-kit/testing/hostile-sockets';
import { startProxy } from './testing/start-proxy.ts';

testHostileSockets({
  path: '/',
  async open() {
    // The cloud is asked nothing for it.
    const proxy = await startProxy({ cloudUrl: 'http://127.0.0.1:1', apiKey: 'a-secret' });
    return Object.assign(proxy, { port: Number(new URL(proxy.url).port) });
  },
});
