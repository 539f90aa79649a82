#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';

const main = defineService({
  name: 'vpn-proxy',
  version: manifest.version,
  // The image sets it; it is public, so the environment is fine for it.
  revision: process.env.VPN_PROXY_REVISION || 'unknown',
  description:
    'Forwards HTTP requests to one server through a VPN tunnel that it keeps up, and never by any other way.',
  options,
  load: () => import('./start.ts'),
});

await main();
