import type { z } from 'zod';
import { standardError, standardOutput } from '../io/standard-streams.ts';
import { type AnyOptionTable, commonOptions } from '../options/option-table.ts';
import { readOptions } from '../options/read-options.ts';
import type { ServiceConfig } from '../options/service-config.ts';
import { runHealthcheck } from './run-healthcheck.ts';
import type { Environment, ServiceDefinition, ServiceDescription } from './service.ts';

/**
 * Makes a service's command line: `await main()` is all that its `src/main.ts` has to do.
 *
 * What is only needed to serve is imported on demand, so that `--healthcheck`, which an image runs every
 * half minute, stays cheap.
 */
export function defineService<Schema extends z.ZodType<ServiceConfig>>(
  description: ServiceDescription<Schema>,
) {
  return async function main(
    argv: readonly string[] = process.argv.slice(2),
    given: Environment = process.env,
  ): Promise<void> {
    const definition = definitionOf(description, given);
    const { name, version, revision } = definition;
    const options = { ...definition.options, ...commonOptions(name) } as AnyOptionTable;
    const env = definition.environment?.(given) ?? given;
    const usageProblem = definition.usageProblem?.(argv);
    if (usageProblem !== undefined) {
      standardError.write(`${name} cannot start:\n  ${usageProblem}\n`);
      process.exit(1);
    }
    const { mode, rest } = chooseMode(argv);
    switch (mode) {
      case 'help': {
        const { helpText } = await import('../options/help-text.ts');
        standardOutput.write(`${helpText({ name, description: definition.description, options })}\n`);
        return;
      }
      case 'version':
        standardOutput.write(
          `${definition.versionText?.(version, revision) ?? `${name} ${version} (git revision ${revision})`}\n`,
        );
        return;
      case 'short-version':
        standardOutput.write(`${version}\n`);
        return;
      case 'healthcheck':
        // Options other than the admin listener's may be incomplete here, so they are not validated.
        process.exitCode = await runHealthcheck(readOptions(rest, env, options).input);
        return;
      case 'control': {
        const { runControlled } = await import('./run-controlled.ts');
        return runControlled({ definition, options, unexpected: rest });
      }
      case 'check-config': {
        const { checkConfig } = await import('./run-standalone.ts');
        return checkConfig({ definition, options, argv: rest, env });
      }
      case 'standalone': {
        const { runStandalone } = await import('./run-standalone.ts');
        return runStandalone({ definition, options, argv: rest, env });
      }
    }
  };
}

function definitionOf<Schema extends z.ZodType<ServiceConfig>>(
  { manifest, ...description }: ServiceDescription<Schema>,
  env: Environment,
): ServiceDefinition<Schema> {
  const name = manifest.name.replace(/^@[^/]+\//, '');
  // The image sets it; it is public, so the environment is fine for it.
  const revision = env[`${name.toUpperCase().replaceAll('-', '_')}_REVISION`] || 'unknown';
  return { ...description, name, version: manifest.version, revision };
}

type Mode = 'help' | 'version' | 'short-version' | 'healthcheck' | 'check-config' | 'control' | 'standalone';

/** Looks only in front of `--`, behind which everything is an argument. */
function chooseMode(argv: readonly string[]): { mode: Mode; rest: string[] } {
  const end = argv.indexOf('--');
  const head = end === -1 ? [...argv] : argv.slice(0, end);
  const tail = end === -1 ? [] : argv.slice(end);

  if (head.includes('--help') || head.includes('-h')) return { mode: 'help', rest: [] };
  if (head.includes('--version')) return { mode: 'version', rest: [] };
  if (head.includes('--short-version')) return { mode: 'short-version', rest: [] };
  for (const mode of ['healthcheck', 'check-config'] as const) {
    const flag = `--${mode}`;
    if (head.includes(flag))
      return { mode, rest: [...head.filter((argument) => argument !== flag), ...tail] };
  }
  const control = head.findIndex((argument) => argument === '--control' || argument === '--control=stdin');
  if (control !== -1) {
    const length = head[control] === '--control' && head[control + 1] === 'stdin' ? 2 : 1;
    const isComplete = length === 2 || head[control] === '--control=stdin';
    if (isComplete) return { mode: 'control', rest: [...head.toSpliced(control, length), ...tail] };
  }
  return { mode: 'standalone', rest: [...argv] };
}
