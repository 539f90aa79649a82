import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type WorkerConfig, workerPoolId } from '../config/config.ts';
import { parseConfig, readConfigDocument } from './read-config.ts';

const complete = {
  rootUrl: 'https://tc.example.com',
  taskcluster: { clientId: 'worker', accessToken: 'written-token' },
  ...{ provisionerId: 'proj', workerType: 'linux', workerGroup: 'group', workerId: 'w1' },
};
const secret = 'Sup3rS3cretT0ken';
let file: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
  file = join(folder, 'config.yml');
});
afterAll(() => rm(folder, { recursive: true }));

test('what is left out has defaults', async () => {
  expect(await read(complete)).toMatchObject({
    ...complete,
    capacity: 1,
    host: 'localhost',
    workerNodeType: 'standalone',
    task: { reclaimDivisor: 2 },
    artifacts: { skipCompressionExtensions: expect.arrayContaining(['.gz', '.zip', 'lz4']) },
    logging: { liveLogPort: 0 },
    shutdown: { graceSeconds: 30 },
  });
});

test('JSON is read as YAML is', async () => {
  await writeFile(file, JSON.stringify(complete, null, 2));

  expect(await readConfig(file, {})).toEqual(await read(complete));
});

test('the worker pool id is made of provisioner and worker type', async () => {
  expect(workerPoolId(await read(complete))).toBe('proj/linux');
});

test.each(['https://tc.example.com/', 'https://tc.example.com///'])(
  'the root URL %s loses its slashes at the end',
  async (rootUrl) => {
    expect((await read({ ...complete, rootUrl })).rootUrl).toBe('https://tc.example.com');
  },
);

test('all problems are told at once, each with its place', async () => {
  const message = await refusal({
    ...complete,
    ...{ workerGroup: undefined, workerId: 7, capacity: 'two' },
    logging: { liveLogPort: 70_000 },
    features: { artifacts: { enabled: 'yes' } },
  });

  expect(message.split('\n').slice(1)).toEqual(
    expect.arrayContaining([
      "  line 8: capacity: found the text 'two', expected a number",
      "  line 13: features.artifacts.enabled: found the text 'yes', expected true or false",
      expect.stringMatching(/^ {2}line 10: logging\.liveLogPort: /),
      // Where it could have stood.
      expect.stringMatching(/^ {2}line 1: workerGroup: missing; add it/),
      '  line 7: workerId: found the number 7, expected a text; write it in quotes: "7"',
    ]),
  );
  expect(message.split('\n')).toHaveLength(6);
});

test.each([
  ['registries', { 'https://reg.example.com': { username: 'a', password: 'b' } }, 'registries'],
  ['registries', { 'reg.example.com/../x': { username: 'a', password: 'b' } }, 'registries'],
  ['sidecars', { registry: 'http://reg.example.com/a' }, 'sidecars.registry'],
  ['dockerConfig', { defaultRegistry: 'a b' }, 'dockerConfig.defaultRegistry'],
])('%s %j is no registry', async (key, value, place) => {
  expect(await refusal({ ...complete, [key]: value })).toMatch(
    new RegExp(`^ {2}line 10: ${place}.*must be a registry as in names of images`, 'm'),
  );
});

test.each(['registries', 'vpnProxies', 'features', 'limits'])(
  'nothing in %s is called __proto__',
  async (key) => {
    const document = JSON.parse(`{ "${key}": { "__proto__": {} } }`);

    expect(await refusal({ ...complete, ...document })).toContain(
      `  line 10: ${key}.__proto__: nothing may be called __proto__; choose another name`,
    );
  },
);

test.each([
  ['rootURL', 'rootUrl'],
  ['Capacity', 'capacity'],
  ['feature', 'features'],
])('the unknown key %s is refused with what was probably meant', async (written, meant) => {
  expect(await refusal({ ...complete, [written]: 1 })).toContain(
    `  line 9: ${written}: unknown key; did you mean '${meant}'?`,
  );
});

test('an unknown key in a section is refused as well', async () => {
  expect(await refusal({ ...complete, logging: { liveLogport: 1 } })).toContain(
    "  line 10: logging.liveLogport: unknown key; did you mean 'liveLogPort'?",
  );
});

test.each(['has space', 'a/b', '', 'x'.repeat(39)])('the worker id %j is refused', async (workerId) => {
  expect(await refusal({ ...complete, workerId })).toContain('  line 8: workerId: must be 1 to 38 letters');
});

test('a file that is not there is a message with the option that names one', async () => {
  await expect(readConfig(join(folder, 'none.yml'), {})).rejects.toThrow(
    /none\.yml cannot be used:\n.*ENOENT.*--config/,
  );
});

test('an empty file is refused with a message', async () => {
  expect(await refusalOf('')).toContain('expected a mapping');
});

test('YAML that is broken is told by line', async () => {
  expect(await refusalOf('rootUrl: x\nworkerId: [1, 2\n')).toMatch(/line \d/);
});

test('root URL and credentials can come from the environment alone', async () => {
  const { rootUrl: _url, taskcluster: _credentials, ...rest } = complete;

  expect(
    await read(rest, {
      TASKCLUSTER_ROOT_URL: 'https://env.example.com/',
      TASKCLUSTER_CLIENT_ID: 'env',
      TASKCLUSTER_ACCESS_TOKEN: 'env-token',
      TASKCLUSTER_CERTIFICATE: '{"version":1}',
    }),
  ).toMatchObject({
    rootUrl: 'https://env.example.com',
    taskcluster: { clientId: 'env', accessToken: 'env-token', certificate: '{"version":1}' },
  });
});

test('the access token alone can come from the environment', async () => {
  const written = { ...complete, taskcluster: { clientId: 'worker' } };

  expect((await read(written, { TASKCLUSTER_ACCESS_TOKEN: 'env-token' })).taskcluster).toEqual({
    clientId: 'worker',
    accessToken: 'env-token',
  });
});

test('what the file says goes before the environment', async () => {
  const env = {
    TASKCLUSTER_ROOT_URL: 'https://env',
    TASKCLUSTER_CLIENT_ID: 'env',
    TASKCLUSTER_ACCESS_TOKEN: 'e',
  };

  expect(await read(complete, env)).toMatchObject(complete);
});

// The other client's certificate makes every call of this one fail.
test('credentials of the file are not completed by a certificate of the environment', async () => {
  const env = { TASKCLUSTER_CLIENT_ID: 'other', TASKCLUSTER_CERTIFICATE: '{"version":1}' };

  expect((await read(complete, env)).taskcluster).toEqual(complete.taskcluster);
});

test('an empty variable counts as one that is not set', async () => {
  const { taskcluster } = await read(complete, { TASKCLUSTER_CERTIFICATE: '' });

  expect(taskcluster).not.toHaveProperty('certificate');
});

test.each(['localhost:8080', 'ftp://tc.example.com'])(
  'the root URL %s, which is not of HTTP, is refused',
  async (rootUrl) => {
    expect(await refusal({ ...complete, rootUrl })).toContain('rootUrl');
  },
);

test('the name of a feature that does not exist is refused', async () => {
  expect(await refusal({ ...complete, features: { artefacts: { enabled: false } } })).toContain('artifacts');
});

test('a range too small for the network of one run is refused', async () => {
  expect(await refusal({ ...complete, network: { subnets: '10.0.0.4/30' } })).toContain('network.subnets');
});

test('an alias without its anchor is a problem of the file, not of the program', async () => {
  expect(await refusalOf('rootUrl: *nowhere\n')).toContain('cannot be used');
});

test('credentials that are not a mapping are told as one problem', async () => {
  expect((await refusal({ ...complete, taskcluster: 'text' })).split('\n')).toHaveLength(2);
});

test.each([
  ['a misspelt key', `taskcluster: {clientId: c, acessToken: ${secret}}`],
  ['a list', `taskcluster: [${secret}]`],
  ['a text', `taskcluster: ${secret}`],
  ['a certificate that is a mapping', `taskcluster: {certificate: {signature: ${secret}}}`],
])('a secret in %s is not in the message', async (_name, text) => {
  expect(await refusalOf(text)).not.toContain(secret);
});

test.each([
  ['a quote that is not closed', `taskcluster:\n  accessToken: "${secret}\n`, secret],
  ['a bracket that is not closed', `taskcluster: {clientId: c, accessToken: ${secret}: x\n`, secret],
  ['a number that should be a text', 'taskcluster: {clientId: c, accessToken: 8140157311}', '8140157311'],
])('a secret in %s is not in the message', async (_name, text, hidden) => {
  expect(await refusalOf(text)).not.toContain(hidden);
});

async function read(document: object, env: NodeJS.ProcessEnv = {}) {
  await writeFile(file, stringify(document));
  return await readConfig(file, env);
}

function refusal(document: object): Promise<string> {
  return refusalOf(stringify(document));
}

/** The message for a configuration that cannot be used. */
async function refusalOf(text: string): Promise<string> {
  await writeFile(file, text);
  const outcome = await readConfig(file, {}).catch((error: Error) => error);
  if (!(outcome instanceof Error) || outcome.name !== 'ConfigError') {
    throw new Error('this configuration was not refused', { cause: outcome });
  }
  return outcome.message;
}

async function readConfig(path: string, env: NodeJS.ProcessEnv = {}): Promise<WorkerConfig> {
  return parseConfig(await readConfigDocument(path), env).config;
}

test('keys of the original that mean nothing any more are passed over and named', async () => {
  const obsolete = {
    monitorProject: 'docker-worker',
    taskQueue: { pollInterval: 5000 },
    features: { relengAPIProxy: { enabled: false, image: 'old', token: 'old' } },
  };
  await writeFile(file, JSON.stringify({ ...complete, ...obsolete }));

  const { config, obsoleteKeys } = parseConfig(await readConfigDocument(file), {});

  expect(config.features).toEqual({ relengAPIProxy: { enabled: false } });
  expect(obsoleteKeys).toEqual([
    'monitorProject',
    'taskQueue',
    'features.relengAPIProxy.image',
    'features.relengAPIProxy.token',
  ]);
});

const server = { upstream: 'https://intranet.example.com', tunnel: 'none' };

test('features that a configuration adds can be switched and made ahead like all others', async () => {
  const settings = {
    vpnProxies: { intranetVPN: server },
    features: { intranetVPN: { enabled: false }, balrogVPNProxy: { enabled: false } },
    warm: { units: 1, features: ['intranetVPN', 'balrogStageVPNProxy'] },
  };

  expect(await read({ ...complete, ...settings })).toMatchObject({
    features: settings.features,
    warm: settings.warm,
  });
});

test('a feature that a configuration adds cannot have the name of another', async () => {
  expect(await refusal({ ...complete, vpnProxies: { taskclusterProxy: server } })).toContain(
    'vpnProxies.taskclusterProxy: is the name of another feature',
  );
});

test('which phones are counted is no obsolete key', async () => {
  const phone = { enabled: true, sims: '1', type: 'flame' };

  expect(await read({ ...complete, deviceManagement: { phone } })).toMatchObject({
    deviceManagement: { phone },
  });
});
