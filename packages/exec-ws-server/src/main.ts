#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';

await defineService({
  manifest,
  description:
    'Lets people open a shell in one container, from a web page of its own or over WebSockets, behind a ' +
    'secret path.',
  options,
  load: () => import('./start.ts'),
  // The processes of open sessions have their time to hang up.
  drainMs: 8_000,
})();
