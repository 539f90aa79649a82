#!/usr/bin/env node
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startFakeDeviceCloud } from './fake-device-cloud.ts';

const help = `Usage: fake-device-cloud [options]

A stand-in for a cloud of phones with Testdroid's API, version 2, until a signal ends it.

  --port <n>            port to listen on; 8090
  --host <ip>           address to listen on; 127.0.0.1
  --api-key <key>       who may ask; fake-api-key
  --username <name>     the same by password; joe@example.com
  --password <text>     fake-password
  --flash-ms <n>        how long a phone is flashed; 3000
  --no-proxy-plugin     sessions are reached by their connections only
`;

const { values } = parseArgs({
  options: {
    ...{ port: { type: 'string' }, host: { type: 'string' }, 'api-key': { type: 'string' } },
    ...{ username: { type: 'string' }, password: { type: 'string' }, 'flash-ms': { type: 'string' } },
    ...{ 'proxy-plugin': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  },
  allowNegative: true,
});

if (values.help) process.stdout.write(help);
else await run();

async function run(): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await using cloud = await startFakeDeviceCloud({
    ...{ port: Number(values.port ?? 8090), host: values.host, apiKey: values['api-key'] },
    ...{ username: values.username, password: values.password, proxyPlugin: values['proxy-plugin'] },
    flashMs: Number(values['flash-ms'] ?? 3000),
  });
  process.stdout.write(`a cloud of phones is at ${cloud.url}\n`);
  await stopped;
}
