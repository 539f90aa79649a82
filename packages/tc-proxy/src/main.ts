#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';

await defineService({
  manifest,
  versionText: (version, revision) => `Taskcluster proxy ${version} (git revision ${revision})`,
  description:
    'Lets programs without credentials call Taskcluster: it signs each request with the credentials it holds, ' +
    'restricted to the given scopes, and forwards it.',
  options,
  load: () => import('./start.ts'),
  // As with other programs, the lower-case names count too.
  environment: (env) => ({
    ...env,
    HTTPS_PROXY: env.https_proxy || env.HTTPS_PROXY,
    NO_PROXY: env.no_proxy || env.NO_PROXY,
  }),
})();
