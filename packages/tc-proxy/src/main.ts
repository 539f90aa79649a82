#!/usr/bin/env node
import { defineService } from '@docker-worker/service-kit/define-service';
import manifest from '../package.json' with { type: 'json' };
import { options } from './options.ts';

// The image sets it; it is public, so the environment is fine for it.
const revision = process.env.TC_PROXY_REVISION || 'unknown';

const { rest, isCheck } = takeFlag(process.argv.slice(2), '--check-config');

const main = defineService({
  name: 'tc-proxy',
  version: manifest.version,
  revision,
  versionText: `Taskcluster proxy ${manifest.version} (git revision ${revision})`,
  description:
    'Lets programs without credentials call Taskcluster: it signs each request with the credentials it holds, ' +
    'restricted to the given scopes, and forwards it. With --check-config it says whether its options are ' +
    'valid, and exits.',
  options,
  load: () => (isCheck ? import('./check-config.ts') : import('./start.ts')),
});

const { env } = process;
await main(rest, {
  ...env,
  // As with other programs, the lower-case names count too.
  HTTPS_PROXY: env.https_proxy || env.HTTPS_PROXY,
  NO_PROXY: env.no_proxy || env.NO_PROXY,
});

/** Looks only in front of `--`, behind which everything is an argument. */
function takeFlag(argv: readonly string[], flag: string): { rest: string[]; isCheck: boolean } {
  const end = argv.indexOf('--');
  const isFlag = (argument: string, index: number) => argument === flag && (end === -1 || index < end);
  return { rest: argv.filter((...at) => !isFlag(at[0], at[1])), isCheck: argv.some(isFlag) };
}
