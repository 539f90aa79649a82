import { expect, test } from '@jest/globals';
import { startForTest } from '../testing/start.ts';

test.each(['queue', 'auth', 'secrets', 'object', 'index', 'purge-cache', 'worker-manager'])(
  '%s answers the health checks of a load balancer, and says its version',
  async (service) => {
    await using local = await startForTest();
    const ask = (path: string) => fetch(`${local.rootUrl}/api/${service}/v1${path}`);

    expect((await ask('/__heartbeat__')).status).toBe(200);
    expect((await ask('/__lbheartbeat__')).status).toBe(200);
    expect(await (await ask('/__version__')).json()).toMatchObject({ version: 'local' });
  },
);
