import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { families, features, featuresOf } from '../features/index.ts';
import { nearestName } from '../payload/nearest-name.ts';
import { prototypeKeys } from '../payload/prototype-keys.ts';
import { schemaProblems } from '../payload/schema-messages.ts';
import { type Problem, problemLine } from '../problem.ts';
import { UserError } from '../user-error.ts';
import { position } from '../yaml-position.ts';
import { withoutObsoleteKeys } from './obsolete-keys.ts';
import { FeatureSettings, WorkerConfig } from './worker-config.ts';

export class ConfigError extends UserError {
  /** @param lineOf tells the lines of problems that have a place in the file */
  constructor(file: string, problems: Problem[], lineOf?: ConfigDocument['lineOf']) {
    const lines = problems.map(({ keys, ...problem }) => {
      const line = keys === undefined ? undefined : lineOf?.(keys);
      return `  ${line === undefined ? '' : `line ${line}: `}${problemLine(problem)}`;
    });
    super(`${file} cannot be used:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** A configuration as it was read, YAML or JSON. */
export interface ConfigDocument {
  file: string;
  document: unknown;
  /** The line of the deepest part of the file that is on the way to `keys`; only of what was written as it stands. */
  lineOf?(keys: readonly PropertyKey[]): number;
}

export interface ParsedConfig {
  config: WorkerConfig;
  /** Keys that the original docker-worker had and that mean nothing here; they have been passed over. */
  obsoleteKeys: string[];
}

/**
 * Checks a whole configuration; `rootUrl` and the credentials may come from the environment.
 *
 * @throws ConfigError with every problem at once
 */
export function parseConfig(
  { document, ...source }: ConfigDocument,
  env: NodeJS.ProcessEnv = process.env,
): ParsedConfig {
  const { kept, obsoleteKeys } = withoutObsoleteKeys(document);
  const config = checked(WorkerConfig, { ...source, document: withEnvironment(kept, env) });
  return { config, obsoleteKeys };
}

/**
 * Reads a configuration file that holds nothing but settings of features.
 *
 * @throws ConfigError with every problem at once
 */
export async function readFeatureSettings(file: string): Promise<FeatureSettings> {
  const source = await readConfigDocument(file);
  checked(FeatureSettings, source);
  return source.document as FeatureSettings;
}

/** @throws ConfigError */
export async function readConfigDocument(file: string): Promise<ConfigDocument> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(file, [
      { path: '', message: `it cannot be read (${error.code}); name an existing file with --config` },
    ]);
  });
  const lines = new LineCounter();
  // Without a quotation of the line, which may hold a secret.
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigError(
      file,
      document.errors.map(({ message, pos: [at] }) => ({ path: `line ${lines.linePos(at).line}`, message })),
    );
  }
  try {
    return { file, document: document.toJS(), lineOf: (keys) => position(lines, document, keys).line };
  } catch (error) {
    // An alias without its anchor is found only now.
    throw new ConfigError(file, [{ path: '', message: (error as Error).message }]);
  }
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  { file, document, lineOf }: ConfigDocument,
): z.output<Schema> {
  const parsed = schema.safeParse(document);
  const issues = parsed.error?.issues ?? [];
  const problems = schemaProblems(issues, { schema, document, root: '' }).map(withoutSecret);
  problems.push(
    ...prototypeKeys(document, ''),
    ...unknownFeatureNames(document),
    ...takenFeatureNames(document),
  );
  if (problems.length > 0) {
    throw new ConfigError(file, problems, lineOf);
  }
  return parsed.data as z.output<Schema>;
}

/** A message about a secret does not quote what was found. */
function withoutSecret(problem: Problem): Problem {
  return /taskcluster|token|secret|password/i.test(problem.path) && problem.message.startsWith('found ')
    ? {
        ...problem,
        message:
          'this has a value of the wrong kind; a secret is a text, in quotes if it looks like a number',
      }
    : problem;
}

/** Names of features that there are none of: a misspelt one would silently stay on, or off. */
function unknownFeatureNames(document: unknown): Problem[] {
  const { features: gates, warm } = (document ?? {}) as { features?: object; warm?: { features?: unknown } };
  const known = [
    ...featuresOf()
      .filter(({ askedBy }) => askedBy === undefined)
      .map(({ name }) => name),
    ...families.flatMap(({ key }) => namesBelow(document, key)),
  ];
  const named = [
    ...Object.keys(gates ?? {}).map((name) => ({ name, keys: ['features', name] })),
    ...(Array.isArray(warm?.features) ? warm.features : []).map((name) => ({
      name,
      keys: ['warm', 'features'],
    })),
  ];
  return named
    .filter(({ name }) => !known.includes(name))
    .map(({ name, keys }) => {
      const nearest = nearestName(String(name), known);
      const mend = nearest === undefined ? `there are ${known.join(', ')}` : `did you mean '${nearest}'?`;
      return { path: keys.join('.'), keys, message: `there is no feature '${name}'; ${mend}` };
    });
}

/** Names that a configuration gives to features of its own, and that others have already. */
function takenFeatureNames(document: unknown): Problem[] {
  return families.flatMap(({ key }) =>
    namesBelow(document, key)
      .filter((name) => features.some((feature) => feature.name === name))
      .map((name) => ({
        path: `${key}.${name}`,
        keys: [key, name],
        message: 'is the name of another feature',
      })),
  );
}

function namesBelow(document: unknown, key: string): string[] {
  const value = isMapping(document) ? document[key] : undefined;
  return isMapping(value) ? Object.keys(value) : [];
}

/** What a file leaves out so that it holds no secret. A certificate only goes with the token of its source. */
function withEnvironment(written: unknown, env: NodeJS.ProcessEnv): unknown {
  if (!isMapping(written)) {
    return written;
  }
  const { rootUrl = env.TASKCLUSTER_ROOT_URL || undefined, taskcluster = {} } = written;
  if (!isMapping(taskcluster)) {
    return { ...written, rootUrl };
  }
  const ownToken = taskcluster.accessToken !== undefined;
  const supplied = {
    clientId: env.TASKCLUSTER_CLIENT_ID,
    accessToken: env.TASKCLUSTER_ACCESS_TOKEN,
    certificate: ownToken ? undefined : env.TASKCLUSTER_CERTIFICATE,
  };
  const set = Object.entries(supplied).filter(([, value]) => value);
  return { ...written, rootUrl, taskcluster: { ...Object.fromEntries(set), ...taskcluster } };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
