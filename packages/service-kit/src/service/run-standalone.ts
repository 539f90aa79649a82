import type { z } from 'zod';
import { standardError, standardOutput } from '../io/standard-streams.ts';
import { configProblems } from '../options/config-problems.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import { readOptions } from '../options/read-options.ts';
import type { ServiceConfig } from '../options/service-config.ts';
import { ServiceError } from '../service-error.ts';
import type { ServiceDefinition } from './service.ts';
import { ServiceRuntime } from './service-runtime.ts';

export interface StandaloneRun<Schema extends z.ZodType<ServiceConfig>> {
  definition: ServiceDefinition<Schema>;
  options: AnyOptionTable;
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}

/** Runs the service from flags and variables until a signal ends it; every start-up failure exits with 1. */
export async function runStandalone<Schema extends z.ZodType<ServiceConfig>>(run: StandaloneRun<Schema>) {
  const { definition, options } = run;
  const { config, input, start } = await readConfig(run);
  const runtime = new ServiceRuntime({ definition, options, announce }, start);
  function announce(text: string): void {
    standardError.write(`${runtime.redactor.redact(text)}\n`);
  }
  runtime.learnSecrets(input);
  try {
    const { adminPort } = await runtime.start(config);
    announce(`Health and metrics on port ${adminPort} of ${config.adminAddress}`);
  } catch (error) {
    return failStart(definition.name, [runtime.redactor.redact(describe(error))]);
  }
}

/** Ends the process with 0 when the options make sense, else with 1 and all that is wrong. Opens nothing. */
export async function checkConfig<Schema extends z.ZodType<ServiceConfig>>(run: StandaloneRun<Schema>) {
  const { config, check } = await readConfig(run);
  try {
    await check?.(config);
  } catch (error) {
    return failStart(run.definition.name, [describe(error)]);
  }
  standardOutput.write('the configuration is valid\n');
}

async function readConfig<Schema extends z.ZodType<ServiceConfig>>(run: StandaloneRun<Schema>) {
  const { definition, options } = run;
  const { input, problems } = readOptions(run.argv, run.env, options);
  const { config, start, check } = await definition.load();
  const parsed = config.safeParse(input);
  if (!parsed.success) problems.push(...configProblems(parsed.error, input, options));
  if (!parsed.success || problems.length > 0) return failStart(definition.name, withoutRepeats(problems));
  return { config: parsed.data, input, start, check };
}

function failStart(name: string, problems: string[]): never {
  standardError.write(`${name} cannot start:\n${problems.map((problem) => `  ${problem}\n`).join('')}`);
  standardError.write(`Run it with --help to see all options.\n`);
  process.exit(1);
}

/** A value that the option's own parser refused is also missing for the schema: one sentence is enough. */
function withoutRepeats(problems: string[]): string[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const label = problem.split(': ', 1)[0] ?? problem;
    return !seen.has(label) && seen.add(label);
  });
}

function describe(error: unknown): string {
  if (error instanceof ServiceError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
