import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import type { AnySchema, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const config = {
  rootUrl: 'https://tc.example.com',
  taskcluster: { clientId: 'c', accessToken: 'a' },
  ...{ provisionerId: 'p', workerType: 't', workerGroup: 'g', workerId: 'w' },
};
let isPayload: ValidateFunction;
let isConfig: ValidateFunction;

beforeAll(async () => {
  [isPayload, isConfig] = await Promise.all([compiled('payload'), compiled('config')]);
});

test.each([
  { image: 'busybox', maxRunTime: 10 },
  { image: { type: 'docker-image', name: 'busybox' }, maxRunTime: 10 },
  {
    ...{ image: 'busybox', maxRunTime: 10, command: ['true'], env: { A: 'b' } },
    features: { taskclusterProxy: true },
    artifacts: { 'public/a': { type: 'file', path: '/a', expires: '2030-01-01T00:00:00Z' } },
    onExitStatus: { retry: [4] },
  },
])('the schema of payloads accepts %j', (payload) => {
  isPayload(payload);

  expect(isPayload.errors).toBeNull();
});

test.each([
  {},
  { image: 'busybox' },
  { image: 'busybox', maxRunTime: 0 },
  { image: 'busybox', maxRunTime: 1.5 },
  { image: { type: 'other' }, maxRunTime: 10 },
  { image: 'busybox', maxRunTime: 10, comand: [] },
  { image: 'busybox', maxRunTime: 10, features: { timeTravel: true } },
])('the schema of payloads refuses %j', (payload) => {
  expect(isPayload(payload)).toBe(false);
});

test('the schema of the configuration accepts the least that is needed', () => {
  isConfig(config);

  expect(isConfig.errors).toBeNull();
});

test.each([{ capacity: 0 }, { workerId: 'a b' }, { rootURL: 'x' }, { network: { subnets: 'all' } }])(
  'the schema of the configuration refuses %j',
  (wrong) => {
    expect(isConfig({ ...config, ...wrong })).toBe(false);
  },
);

// Root URL and credentials may come from the environment.
test('the schema of the configuration accepts a file without secrets', () => {
  const { rootUrl: _url, taskcluster: _credentials, ...file } = config;

  expect(isConfig(file)).toBe(true);
});

/** Compiling it fails unless it is a valid schema. */
async function compiled(document: string): Promise<ValidateFunction> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'schema', document]);
  const ajv = new Ajv2020({ strict: false, logger: false });
  addFormats.default(ajv);
  ajv.addFormat('cidrv4', true);
  return ajv.compile(JSON.parse(stdout) as AnySchema);
}
