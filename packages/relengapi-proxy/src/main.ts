#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import { standardError } from '@docker-worker/service-kit/standard-streams';
import manifest from '../package.json' with { type: 'json' };
import { lacksSeparator } from './lacks-separator.ts';
import { options } from './options.ts';

// The image sets it; it is public, so the environment is fine for it.
const revision = process.env.RELENGAPI_PROXY_REVISION || 'unknown';

const main = defineService({
  name: 'relengapi-proxy',
  version: manifest.version,
  revision,
  versionText: `RelengAPI proxy ${manifest.version}`,
  description:
    'Lets programs without credentials call APIs that want a token: it obtains tokens with the permissions that ' +
    'the scopes of a task give, and forwards each request with one. Usage: relengapi-proxy [options] -- <taskId>',
  options,
  load: () => import('./start.ts'),
});

if (lacksSeparator(process.argv.slice(2))) {
  standardError.write('relengapi-proxy cannot start:\n  usage: relengapi-proxy [options] -- <taskId>\n');
  process.exit(1);
}
await main();
