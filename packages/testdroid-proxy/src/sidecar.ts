import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import manifest from '../package.json' with { type: 'json' };
import { stopSeconds } from './stop-seconds.ts';
import { TestdroidConfig } from './testdroid-config.ts';

export { type SessionEvent, SessionEvents } from './session-events.ts';
export { oneAccount, oneAccountProblem, testdroidShape } from './testdroid-config.ts';

/** What the worker needs to run testdroid-proxy beside a task. */
export const testdroidProxy = {
  name: 'testdroid-proxy',
  image: 'docker-worker/testdroid-proxy',
  version: manifest.version,
  alias: 'testdroid',
  port: 80,
  config: TestdroidConfig,
  stopSeconds,
} satisfies Sidecar;
