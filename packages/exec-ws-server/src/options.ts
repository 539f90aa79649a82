import { type OptionTable, wholeNumber } from '@docker-worker/service-kit/option-table';
import { listenOptions, readText } from '@docker-worker/service-kit/shared-options';
import type { z } from 'zod';
import type { ExecWsConfig } from './exec-ws-config.ts';

export const options = {
  container: {
    flag: 'container',
    env: 'EXEC_WS_SERVER_CONTAINER',
    placeholder: '<id>',
    description: 'The container to serve, by id or name.',
  },
  secret: {
    flag: 'secret',
    env: 'EXEC_WS_SERVER_SECRET',
    description: 'Secret part of every path; better given as variable. Without it one is made up and told.',
    secret: true,
  },
  engineSocket: {
    flag: 'engine-socket',
    env: 'EXEC_WS_SERVER_ENGINE_SOCKET',
    placeholder: '<path>',
    description: 'Socket of an engine that answers calls about this container only.',
  },
  unrestricted: {
    flag: 'unrestricted',
    env: 'EXEC_WS_SERVER_UNRESTRICTED',
    boolean: true,
    description: 'Use the whole engine, by DOCKER_HOST or its usual socket.',
  },
  ...listenOptions('exec-ws-server', { address: { flag: 'address' } }),
  cert: {
    flag: 'cert',
    env: 'EXEC_WS_SERVER_CERT',
    placeholder: '<file>',
    description: 'PEM file of the certificate for TLS.',
    parse: readText,
  },
  key: {
    flag: 'key',
    env: 'EXEC_WS_SERVER_KEY',
    placeholder: '<file>',
    description: 'PEM file of its key.',
    parse: readText,
    secret: true,
  },
  busybox: {
    flag: 'busybox',
    env: 'EXEC_WS_SERVER_BUSYBOX',
    placeholder: '<path>',
    description: 'Path of a static busybox inside the container, for images without a shell.',
  },
  origins: {
    flag: 'origin',
    env: 'EXEC_WS_SERVER_ORIGINS',
    placeholder: '<url,...>',
    description: 'Origins of other pages that may connect.',
    parse: (text) => text.split(','),
  },
  maxSessions: {
    flag: 'max-sessions',
    env: 'EXEC_WS_SERVER_MAX_SESSIONS',
    placeholder: '<n>',
    description: 'How many sessions may be open at once.',
    parse: wholeNumber,
    shownDefault: '10',
  },
  heartbeatSeconds: {
    flag: 'heartbeat',
    env: 'EXEC_WS_SERVER_HEARTBEAT',
    placeholder: '<seconds>',
    description: 'Time between pings; a client that misses two is gone.',
    parse: Number,
    shownDefault: '20',
  },
  resumeSeconds: {
    flag: 'resume',
    env: 'EXEC_WS_SERVER_RESUME',
    placeholder: '<seconds>',
    description: 'How long the shell of a page that has lost its connection waits for it.',
    parse: Number,
    shownDefault: '60',
  },
  hangUpSeconds: {
    flag: 'hang-up',
    env: 'EXEC_WS_SERVER_HANG_UP',
    placeholder: '<seconds>',
    description: 'Time between HUP and KILL for the processes of a client that has gone.',
    parse: Number,
    shownDefault: '3',
  },
} satisfies OptionTable<z.input<typeof ExecWsConfig>>;
