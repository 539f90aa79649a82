#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';
import { stopSeconds } from './stop-seconds.ts';

await defineService({
  manifest,
  versionText: (version) => `Testdroid proxy ${version}`,
  description:
    'Lends phones of a cloud with Testdroid’s API to programs that do not have its credentials, one at a time, and gives ' +
    'each of them back.',
  options,
  load: () => import('./start.ts'),
  drainMs: stopSeconds * 1000,
})();
