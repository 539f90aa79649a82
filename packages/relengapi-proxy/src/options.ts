import type { OptionTable } from '@docker-worker/service-kit/option-table';
import {
  commaSeparated,
  listenOptions,
  readText,
  upstreamOptions,
} from '@docker-worker/service-kit/shared-options';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { RelengapiConfig } from './relengapi-config.ts';

/** Flags of the original relengapi-proxy, and a few of our own. */
export const options = {
  ...listenOptions('relengapi-proxy'),
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
    parse: commaSeparated,
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
  ...upstreamOptions('relengapi-proxy', { connectTimeout: 10, headersTimeout: 300 }),
} satisfies OptionTable<z.input<typeof RelengapiConfig>>;

function parseSettings(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new Error('is neither YAML nor JSON');
  }
}
