import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { schemaProblems } from '../payload/schema-messages.ts';
import { type Problem, problemLine } from '../problem.ts';
import { UserError } from '../user-error.ts';
import { WorkerConfig } from './config.ts';

/** Keys that the environment may supply, so that a configuration file can do without secrets. */
const fromEnvironment = {
  rootUrl: 'TASKCLUSTER_ROOT_URL',
  clientId: 'TASKCLUSTER_CLIENT_ID',
  accessToken: 'TASKCLUSTER_ACCESS_TOKEN',
  certificate: 'TASKCLUSTER_CERTIFICATE',
} as const;

export class ConfigError extends UserError {
  constructor(file: string, problems: Problem[]) {
    super(`${file} cannot be used:\n${problems.map((problem) => `  ${problemLine(problem)}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads a configuration file, YAML or JSON; `rootUrl` and the credentials may come from the environment.
 *
 * @throws ConfigError with every problem at once
 */
export async function readConfig(file: string, env: NodeJS.ProcessEnv = process.env): Promise<WorkerConfig> {
  return checked(file, WorkerConfig, withEnvironment(await readDocument(file), env));
}

/** The part of a configuration that says what features do; all that a worker on this machine alone needs. */
export const FeatureSettings = WorkerConfig.pick({ features: true, relengAPIProxy: true });
export type FeatureSettings = z.input<typeof FeatureSettings>;

/**
 * Reads a configuration file that holds nothing but settings of features.
 *
 * @throws ConfigError with every problem at once
 */
export async function readFeatureSettings(file: string): Promise<FeatureSettings> {
  const document = await readDocument(file);
  checked(file, FeatureSettings, document);
  return document as FeatureSettings;
}

async function readDocument(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(file, [
      { path: '', message: `it cannot be read (${error.code}); name an existing file with --config` },
    ]);
  });
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw new ConfigError(
      file,
      document.errors.map(({ message }) => ({ path: '', message })),
    );
  }
  return document.toJS();
}

function checked<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  document: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    throw new ConfigError(file, schemaProblems(parsed.error.issues, { schema, document, root: '' }));
  }
  return parsed.data;
}

function withEnvironment(written: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    return written;
  }
  const { rootUrl, taskcluster, ...rest } = written as Record<string, unknown>;
  const credentials = { ...(taskcluster as object | undefined) } as Record<string, unknown>;
  for (const key of ['clientId', 'accessToken', 'certificate'] as const) {
    const value = credentials[key] ?? env[fromEnvironment[key]];
    if (value !== undefined) {
      credentials[key] = value;
    }
  }
  return { ...rest, rootUrl: rootUrl ?? env[fromEnvironment.rootUrl], taskcluster: credentials };
}
