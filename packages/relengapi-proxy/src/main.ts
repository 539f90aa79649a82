#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { lacksSeparator } from './lacks-separator.ts';
import { options } from './options.ts';

await defineService({
  manifest,
  versionText: (version) => `RelengAPI proxy ${version}`,
  description:
    'Lets programs without credentials call APIs that want a token: it obtains tokens with the permissions that ' +
    'the scopes of a task give, and forwards each request with one. Usage: relengapi-proxy [options] -- <taskId>',
  options,
  load: () => import('./start.ts'),
  usageProblem: (argv) => (lacksSeparator(argv) ? 'usage: relengapi-proxy [options] -- <taskId>' : undefined),
})();
