import type { OptionTable } from '@docker-worker/service-kit/option-table';
import {
  commaSeparated,
  credentialOptions,
  listenOptions,
  readText,
} from '@docker-worker/service-kit/shared-options';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { TestdroidConfig } from './testdroid-config.ts';

/** Flags of the original testdroid-proxy, and those that it lacked. */
export const options = {
  cloudUrl: {
    flag: 'cloud-url',
    short: 'c',
    env: 'TESTDROID_CLOUD_URL',
    placeholder: '<url>',
    description: 'URL of the cloud; its API is at api/v2 below it.',
  },
  apiKey: {
    flag: 'api-key',
    env: 'TESTDROID_API_KEY',
    placeholder: '<key>',
    description: 'API key of the account; better given as variable, since other users can read arguments.',
    secret: true,
  },
  username: {
    flag: 'username',
    short: 'u',
    env: 'TESTDROID_USERNAME',
    placeholder: '<address>',
    description: 'E-mail address of the account, in place of an API key.',
  },
  password: {
    flag: 'password',
    short: 'p',
    env: 'TESTDROID_PASSWORD',
    placeholder: '<text>',
    description: 'Password of the account; better given as variable.',
    secret: true,
  },
  rootUrl: {
    flag: 'root-url',
    env: 'TASKCLUSTER_ROOT_URL',
    placeholder: '<url>',
    description: 'Root URL of the Taskcluster deployment whose URLs of builds are signed.',
  },
  ...credentialOptions('taskcluster-'),
  authorizedScopes: {
    flag: 'scopes',
    env: 'TESTDROID_PROXY_SCOPES',
    placeholder: '<scope,…>',
    description: 'Scopes that signatures are restricted to, separated by commas; default: no restriction.',
    parse: commaSeparated,
  },
  deviceTimeout: {
    flag: 'device-timeout',
    env: 'TESTDROID_DEVICE_TIMEOUT',
    placeholder: '<seconds>',
    description: 'After how long a device is given back, whoever has it.',
    parse: Number,
    shownDefault: '3600',
  },
  proxyHost: {
    flag: 'proxy-host',
    env: 'TESTDROID_PROXY_HOST',
    placeholder: '<host>',
    description: 'Host that clients are told to reach the proxies of a device at; default: the cloud’s.',
  },
  flash: {
    flag: 'flash',
    env: 'TESTDROID_FLASH',
    placeholder: '<yaml>',
    description:
      'How devices are flashed, as YAML or JSON: {project: flash-fxos-new-url}; without it they are not.',
    parse: parseYaml,
  },
  ...listenOptions('testdroid-proxy', { port: {}, address: {} }),
  ca: {
    flag: 'ca',
    env: 'TESTDROID_PROXY_CA',
    placeholder: '<file>',
    description: 'PEM file of certificates to trust beside the system’s.',
    parse: readText,
  },
  headersTimeout: {
    flag: 'headers-timeout',
    env: 'TESTDROID_PROXY_HEADERS_TIMEOUT',
    placeholder: '<seconds>',
    description: 'Time the cloud has to begin an answer.',
    parse: Number,
    shownDefault: '60',
  },
  ...tries(),
} satisfies OptionTable<z.input<typeof TestdroidConfig>>;

function tries() {
  const option = (flag: string, description: string, shownDefault: string) => ({
    flag,
    env: `TESTDROID_${flag.toUpperCase().replaceAll('-', '_')}`,
    placeholder: '<n>',
    description,
    parse: Number,
    shownDefault,
  });
  return {
    sessionTries: option('session-tries', 'How often a session is asked for on each device.', '5'),
    sessionPauseSeconds: option('session-pause', 'Seconds between those.', '2'),
    proxyTries: option('proxy-tries', 'How often each proxy of a device is asked for.', '30'),
    proxyPauseSeconds: option('proxy-pause', 'Seconds between those.', '5'),
    attemptPauseSeconds: option('attempt-pause', 'Seconds before the second attempt as a whole.', '10'),
  };
}
