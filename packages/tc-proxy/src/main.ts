#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';

// The image sets it; it is public, so the environment is fine for it.
const revision = process.env.TC_PROXY_REVISION || 'unknown';

const main = defineService({
  name: 'tc-proxy',
  version: manifest.version,
  revision,
  versionText: `Taskcluster proxy ${manifest.version} (git revision ${revision})`,
  description:
    'Lets programs without credentials call Taskcluster: it signs each request with the credentials it holds, ' +
    'restricted to the given scopes, and forwards it.',
  options,
  load: () => import('./start.ts'),
});

const { env } = process;
await main(process.argv.slice(2), {
  ...env,
  // As with other programs, the lower-case names count too.
  HTTPS_PROXY: env.https_proxy || env.HTTPS_PROXY,
  NO_PROXY: env.no_proxy || env.NO_PROXY,
});
