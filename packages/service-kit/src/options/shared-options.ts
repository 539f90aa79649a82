import { readFileSync } from 'node:fs';
import { envPrefix, type Option, wholeNumber } from './option-table.ts';

type Spelling = Pick<Option, 'flag' | 'short'>;

/** Where the service listens. Flags are spelt as the original of each service had them. */
export function listenOptions(
  service: string,
  { port = { short: 'p' }, address = { short: 'i' } }: { port?: Spelling; address?: Spelling } = {},
) {
  return {
    port: {
      flag: 'port',
      env: `${envPrefix(service)}_PORT`,
      placeholder: '<n>',
      description: 'Port to listen on; 0 takes a free one.',
      parse: wholeNumber,
      standaloneDefault: 8080,
      ...port,
    },
    address: {
      flag: 'ip-address',
      env: `${envPrefix(service)}_ADDRESS`,
      placeholder: '<ip>',
      description: 'Address to listen on; * for all interfaces.',
      // Without an address the schema means all interfaces.
      parse: (text: string) => (text === '*' ? undefined : text),
      standaloneDefault: '127.0.0.1',
      ...address,
    },
  } satisfies Record<string, Option>;
}

/** How upstreams are reached; the defaults are those of the service's schema. */
export function upstreamOptions(
  service: string,
  { connectTimeout, headersTimeout }: { connectTimeout: number; headersTimeout: number },
) {
  const prefix = envPrefix(service);
  return {
    ca: {
      flag: 'ca',
      env: `${prefix}_CA`,
      placeholder: '<file>',
      description: 'PEM file of certificates to trust beside the system’s.',
      parse: readText,
    },
    connectTimeout: {
      flag: 'connect-timeout',
      env: `${prefix}_CONNECT_TIMEOUT`,
      placeholder: '<seconds>',
      description: 'Time for a connection to the upstream.',
      parse: Number,
      shownDefault: String(connectTimeout),
    },
    headersTimeout: {
      flag: 'headers-timeout',
      env: `${prefix}_HEADERS_TIMEOUT`,
      placeholder: '<seconds>',
      description: 'Time the upstream has to begin its answer; 0 waits for ever.',
      parse: Number,
      shownDefault: String(headersTimeout),
    },
  } satisfies Record<string, Option>;
}

/** Taskcluster credentials; `flagPrefix` tells them from other credentials of the service. */
export function credentialOptions(flagPrefix = '') {
  return {
    'credentials.clientId': {
      flag: `${flagPrefix}client-id`,
      env: 'TASKCLUSTER_CLIENT_ID',
      placeholder: '<id>',
      description: 'Client id of the Taskcluster credentials.',
    },
    'credentials.accessToken': {
      flag: `${flagPrefix}access-token`,
      env: 'TASKCLUSTER_ACCESS_TOKEN',
      placeholder: '<token>',
      description: 'Access token; better given as variable, since other users can read arguments.',
      secret: true,
    },
    'credentials.certificate': {
      flag: `${flagPrefix}certificate`,
      env: 'TASKCLUSTER_CERTIFICATE',
      placeholder: '<json>',
      description: 'Certificate of temporary credentials.',
      secret: true,
    },
  } satisfies Record<string, Option>;
}

/** For `parse` of an option that names a file. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** For `parse` of a list whose items are separated by commas. */
export function commaSeparated(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}
