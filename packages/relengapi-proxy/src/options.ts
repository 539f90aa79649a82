import { readFileSync } from 'node:fs';
import { type OptionTable, wholeNumber } from '@docker-worker/service-kit/option-table';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { RelengapiConfig } from './relengapi-config.ts';

/** Flags of the original relengapi-proxy, and a few of our own. */
export const options = {
  port: {
    flag: 'port',
    short: 'p',
    env: 'RELENGAPI_PROXY_PORT',
    placeholder: '<n>',
    description: 'Port to listen on; 0 takes a free one.',
    parse: wholeNumber,
    standaloneDefault: 8080,
  },
  address: {
    flag: 'ip-address',
    short: 'i',
    env: 'RELENGAPI_PROXY_ADDRESS',
    placeholder: '<ip>',
    description: 'Address to listen on; * for all interfaces.',
    // Without an address the schema means all interfaces.
    parse: (text) => (text === '*' ? undefined : text),
    standaloneDefault: '127.0.0.1',
  },
  issuingToken: {
    flag: 'relengapi-token',
    env: 'RELENG_API_TOKEN',
    placeholder: '<token>',
    description:
      'Permanent token that may issue temporary ones; better given as variable, since other users can read arguments.',
    secret: true,
  },
  host: {
    flag: 'relengapi-host',
    env: 'RELENGAPI_PROXY_HOST',
    placeholder: '<host>',
    description: 'Host to call, by https, when no configuration file has routes.',
    shownDefault: 'api.pub.build.mozilla.org',
  },
  settings: {
    flag: 'config',
    env: 'RELENGAPI_PROXY_CONFIG',
    placeholder: '<file>',
    description: 'YAML or JSON file with "routes" and "allow".',
    parse: (file) => parseSettings(readText(file)),
  },
  scopes: {
    flag: 'scopes',
    env: 'RELENGAPI_PROXY_SCOPES',
    placeholder: '<scope,…>',
    description: 'Scopes to take permissions from, separated by commas, beside or in place of a task.',
    parse: (text) => text.split(',').map((scope) => scope.trim()),
  },
  taskId: {
    positional: true,
    placeholder: '<taskId>',
    description: 'Take permissions from the scopes of this task; written behind "--".',
  },
  rootUrl: {
    flag: 'root-url',
    env: 'TASKCLUSTER_ROOT_URL',
    placeholder: '<url>',
    description: 'Root URL of the Taskcluster deployment that knows the task.',
  },
  ca: {
    flag: 'ca',
    env: 'RELENGAPI_PROXY_CA',
    placeholder: '<file>',
    description: 'PEM file of certificates to trust beside the system’s.',
    parse: readText,
  },
  connectTimeout: {
    flag: 'connect-timeout',
    env: 'RELENGAPI_PROXY_CONNECT_TIMEOUT',
    placeholder: '<seconds>',
    description: 'Time for a connection to an upstream.',
    parse: Number,
    shownDefault: '10',
  },
  headersTimeout: {
    flag: 'headers-timeout',
    env: 'RELENGAPI_PROXY_HEADERS_TIMEOUT',
    placeholder: '<seconds>',
    description: 'Time an upstream has to begin its answer; 0 waits for ever.',
    parse: Number,
    shownDefault: '300',
  },
} satisfies OptionTable<z.input<typeof RelengapiConfig>>;

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function parseSettings(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new Error('is neither YAML nor JSON');
  }
}
