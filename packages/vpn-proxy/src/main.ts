#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';

await defineService({
  manifest,
  description:
    'Forwards HTTP requests to one server through a VPN tunnel that it keeps up, and never by any other way.',
  options,
  load: () => import('./start.ts'),
})();
