#!/usr/bin/env node
import { once } from 'node:events';
import packageJson from '../package.json' with { type: 'json' };
import { type Command, HELP, parseCommand, UsageError } from './cli-options.ts';
import { startLocalTaskcluster } from './local-taskcluster.ts';

// Output that nobody reads any more is lost, and nothing else; without a listener it would end the process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

try {
  const command = parseCommand(process.argv.slice(2));
  if (command.action === 'run') await run(command);
  else process.stdout.write(command.action === 'help' ? HELP : `${packageJson.version}\n`);
} catch (error) {
  const hint = error instanceof UsageError ? '\nTry --help.' : '';
  process.stderr.write(`local-taskcluster: ${error instanceof Error ? error.message : error}${hint}\n`);
  process.exitCode = 1;
}

async function run({ options, withPage }: Extract<Command, { action: 'run' }>): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const logger = { info: log, warn: log, error: log };
  await using taskcluster = await startLocalTaskcluster({ ...options, logger });
  const { rootUrl, credentials } = taskcluster;
  const settings = {
    TASKCLUSTER_ROOT_URL: rootUrl,
    TASKCLUSTER_CLIENT_ID: credentials.clientId,
    TASKCLUSTER_ACCESS_TOKEN: credentials.accessToken,
  };
  for (const [name, value] of Object.entries(settings)) {
    process.stdout.write(`export ${name}=${shellWord(value)}\n`);
  }
  await using page = withPage ? await taskcluster.servePages() : undefined;
  if (page !== undefined) {
    process.stderr.write(`local-taskcluster: page: ${page.url}\n`);
  }
  await stopped;
}

function log(fields: object, message: string): void {
  const error = 'err' in fields && fields.err instanceof Error ? `: ${fields.err.stack}` : '';
  process.stderr.write(`local-taskcluster: ${message}${error}\n`);
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
