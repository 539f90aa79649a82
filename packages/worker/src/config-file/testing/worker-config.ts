import { WorkerConfig } from '../worker-config.ts';

/** A configuration for tests, with the keys that every one needs; nothing answers there. */
export function testConfig(settings: object = {}): WorkerConfig {
  return WorkerConfig.parse({
    rootUrl: 'https://tc.example.com',
    taskcluster: { clientId: 'worker', accessToken: 'token' },
    ...{ provisionerId: 'prov', workerType: 'type', workerGroup: 'group', workerId: 'i-1' },
    ...settings,
  });
}
