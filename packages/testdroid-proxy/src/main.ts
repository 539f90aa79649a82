#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';
import { stopSeconds } from './stop-seconds.ts';

// The image sets it; it is public, so the environment is fine for it.
const revision = process.env.TESTDROID_PROXY_REVISION || 'unknown';

const main = defineService({
  name: 'testdroid-proxy',
  version: manifest.version,
  revision,
  versionText: `Testdroid proxy ${manifest.version}`,
  description:
    'Lends phones of a cloud with Testdroid’s API to programs that do not have its credentials, one at a time, and gives ' +
    'each of them back.',
  options,
  load: () => import('./start.ts'),
  drainMs: stopSeconds * 1000,
});

await main();
