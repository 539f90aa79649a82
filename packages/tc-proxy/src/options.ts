import type { OptionTable } from '@docker-worker/service-kit/option-table';
import {
  commaSeparated,
  credentialOptions,
  listenOptions,
  upstreamOptions,
} from '@docker-worker/service-kit/shared-options';
import type { z } from 'zod';
import type { TcProxyConfig } from './tc-proxy-config.ts';

/** Flags and variables of the original taskcluster-proxy, and a few of our own. */
export const options = {
  ...listenOptions('tc-proxy'),
  rootUrl: {
    flag: 'root-url',
    env: 'TASKCLUSTER_ROOT_URL',
    placeholder: '<url>',
    description: 'Root URL of the Taskcluster deployment.',
  },
  ...credentialOptions(),
  taskId: {
    flag: 'task-id',
    short: 't',
    env: 'TC_PROXY_TASK_ID',
    placeholder: '<taskId>',
    description: 'Restrict requests to the scopes of this task, beside the scopes given as arguments.',
  },
  authorizedScopes: {
    positional: true,
    placeholder: '<scope>',
    description:
      'Scopes to restrict requests to; without any, and without a task id, there is no restriction.',
  },
  credentialsEndpoint: {
    flag: 'credentials-endpoint',
    env: 'TC_PROXY_CREDENTIALS_ENDPOINT',
    boolean: true,
    description: 'Let PUT /credentials on the data port replace the credentials.',
    standaloneDefault: true,
  },
  allowedUser: {
    flag: 'allowed-user',
    env: 'TC_PROXY_ALLOWED_USER',
    placeholder: '<name>',
    description: 'Refuse connections from processes of other users of this machine.',
  },
  allowedNetwork: {
    flag: 'allowed-network',
    env: 'TC_PROXY_ALLOWED_NETWORK',
    placeholder: '<cidr>',
    description: 'Range that peers who are not of this machine must come from.',
  },
  ...upstreamOptions('tc-proxy', { connectTimeout: 10, headersTimeout: 300 }),
  retryDeadline: {
    flag: 'retry-deadline',
    env: 'TC_PROXY_RETRY_DEADLINE',
    placeholder: '<seconds>',
    description: 'Time in which failed requests are sent again; 0 sends each once.',
    parse: Number,
    shownDefault: '60',
  },
  retryMethods: {
    flag: 'retry-methods',
    env: 'TC_PROXY_RETRY_METHODS',
    placeholder: '<which>',
    description: 'Which requests are sent again: idempotent or all.',
    shownDefault: 'idempotent',
  },
  denyHostForm: {
    flag: 'deny-host-form',
    env: 'TC_PROXY_DENY_HOST_FORM',
    boolean: true,
    description: 'Refuse requests to hosts other than the root URL’s.',
  },
  allowHosts: {
    flag: 'allow-host',
    env: 'TC_PROXY_ALLOW_HOSTS',
    placeholder: '<host>[,<host>...]',
    description: 'Reach these hosts even if they are loopback, link-local or a metadata service.',
    parse: commaSeparated,
  },
  httpsProxy: {
    flag: 'https-proxy',
    env: 'HTTPS_PROXY',
    placeholder: '<url>',
    description: 'HTTP proxy between here and https upstreams.',
    parse: (text) => (text.includes('://') ? text : `http://${text}`),
    secret: true,
  },
  noProxy: {
    flag: 'no-proxy',
    env: 'NO_PROXY',
    placeholder: '<host>[,<host>...]',
    description: 'Hosts that are reached without that proxy.',
  },
} satisfies OptionTable<z.input<typeof TcProxyConfig>>;
