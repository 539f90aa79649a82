import { expect, test } from '@jest/globals';
import { WorkerConfig } from '../../config-file/worker-config.ts';
import { shellAddresses } from './shell-addresses.ts';

const ssl = { certificate: '/c', key: '/k' };

test.each([
  ["the worker's host name", {}, 'http://worker.example:4000'],
  ['a host name of their own', { interactive: { host: 'shell.example' } }, 'http://shell.example:4000'],
  ['an IPv6 address', { interactive: { host: 'fd00::1' } }, 'http://[fd00::1]:4000'],
  ['TLS with a certificate', { ssl }, 'https://worker.example:4000'],
  ['no TLS with a certificate', { ssl, interactive: { ssl: false } }, 'http://worker.example:4000'],
  [
    'a proxy in front',
    { interactive: { url: 'https://proxy.example/{port}/' } },
    'https://proxy.example/4000',
  ],
])('with %s, addresses begin accordingly', (_, settings, base) => {
  const addresses = shellAddresses(configOf(settings), 4000, 'secret');

  expect(addresses).toEqual({
    page: `${base}/secret/`,
    socket: `${base.replace('http', 'ws')}/secret/shell.sock`,
    socketV2: `${base.replace('http', 'ws')}/shell/secret`,
  });
});

function configOf(settings: object): WorkerConfig {
  return WorkerConfig.parse({
    rootUrl: 'https://tc.example',
    taskcluster: { clientId: 'c', accessToken: 't' },
    ...{ provisionerId: 'p', workerType: 'w', workerGroup: 'g', workerId: 'i', host: 'worker.example' },
    ...settings,
  });
}
