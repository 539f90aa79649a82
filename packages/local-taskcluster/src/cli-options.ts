import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { LocalTaskclusterOptions } from './local-taskcluster.ts';

export const HELP = `local-taskcluster: Taskcluster in one process, for local runs and tests

Usage: local-taskcluster [options]

  --port NUMBER              port to listen on (default: any free one)
  --host ADDRESS             address to listen on (default: 127.0.0.1)
  --data DIR                 keep tasks, artifacts and credentials in DIR across restarts
  --root-url URL             under which callers reach this server (default: http://HOST:PORT)
  --no-anonymous             like a new deployment, in which nobody has made a role "anonymous" yet
  --claim-seconds NUMBER     how long a claim lasts (default: 1200)
  --long-poll-seconds NUMBER how long claimWork waits for a task (default: 20)
  --page                     serve a page of the tasks and print its address on stderr
  --help                     show this text
  --version                  show the version

Prints the settings for clients on stdout, as shell commands, and runs until SIGTERM or SIGINT.
`;

/** A command line that cannot be used; the message is for whoever typed it. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export type Command =
  | { action: 'help' }
  | { action: 'version' }
  | { action: 'run'; options: LocalTaskclusterOptions; withPage: boolean };

const number = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'expected a number')
  .transform(Number);

const flagsSchema = z.strictObject({
  port: number.pipe(z.int().max(65_535)).optional(),
  host: z.string().min(1).optional(),
  data: z.string().min(1).optional(),
  'root-url': z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }).optional(),
  'no-anonymous': z.boolean().default(false),
  page: z.boolean().default(false),
  'claim-seconds': number.pipe(z.number().positive()).optional(),
  'long-poll-seconds': number.pipe(z.number().positive()).optional(),
});

/** Throws UsageError. */
export function parseCommand(args: string[]): Command {
  const { help, version, ...given } = parseFlags(args);
  if (help) return { action: 'help' };
  if (version) return { action: 'version' };
  const parsed = flagsSchema.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`);
    throw new UsageError(problems.join('\n'));
  }
  const flags = parsed.data;
  return {
    action: 'run',
    withPage: flags.page,
    options: {
      port: flags.port,
      host: flags.host,
      dataDir: flags.data,
      rootUrl: flags['root-url'],
      anonymous: !flags['no-anonymous'],
      claimSeconds: flags['claim-seconds'],
      longPollSeconds: flags['long-poll-seconds'],
    },
  };
}

function parseFlags(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args,
      options: {
        ...{ port: text, host: text, data: text, 'root-url': text },
        ...{ 'claim-seconds': text, 'long-poll-seconds': text },
        ...{ 'no-anonymous': flag, page: flag, help: flag, version: flag },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
