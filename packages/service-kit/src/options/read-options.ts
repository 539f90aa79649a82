import { parseArgs } from 'node:util';
import { optionLabel } from './option-label.ts';
import type { AnyOptionTable, Option } from './option-table.ts';

/** What the command line and the environment say, before the schema has seen it. */
export interface OptionsRead {
  /** Input for the configuration schema. */
  input: Record<string, unknown>;
  /** Everything wrong so far, one sentence each, free of secrets. */
  problems: string[];
}

/** Reads every option of the table. A flag wins over its variable; an empty value counts as not given. */
export function readOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  table: AnyOptionTable,
): OptionsRead {
  const problems: string[] = [];
  const given = readFlags(argv, table, problems);
  const input: Record<string, unknown> = {};

  for (const [path, option] of Object.entries(table)) {
    if (!option) continue;
    const value = option.positional ? positionals(given) : textOf(option, path, given, env);
    let parsed: unknown;
    try {
      parsed = value === undefined ? option.standaloneDefault : parse(option, value);
    } catch (error) {
      const reason = option.secret ? 'is not valid' : (error as Error).message;
      problems.push(`${optionLabel(option)}: ${reason}`);
      continue;
    }
    setAt(input, path, parsed);
  }
  return { input, problems };
}

interface Given {
  byPath: Map<string, string>;
  positionals: string[];
}

function readFlags(argv: readonly string[], table: AnyOptionTable, problems: string[]): Given {
  const byFlag = new Map<string, { path: string; option: Option }>();
  for (const [path, option] of Object.entries(table)) {
    if (option?.flag) byFlag.set(option.flag, { path, option });
  }

  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      [...byFlag.values()].map(({ option }) => [
        option.flag as string,
        { type: option.boolean ? 'boolean' : 'string', ...(option.short ? { short: option.short } : {}) },
      ]),
    ),
    // Not strict, so that every mistake is found and reported, not only the first.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const given: Given = { byPath: new Map(), positionals: [] };
  for (const token of tokens) {
    if (token.kind === 'positional') given.positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const negated = token.name.startsWith('no-') ? byFlag.get(token.name.slice(3)) : undefined;
    const known = byFlag.get(token.name);
    if (known?.option.boolean) given.byPath.set(known.path, token.value ?? 'true');
    else if (known && token.value === undefined) problems.push(`${optionLabel(known.option)}: needs a value`);
    else if (known) given.byPath.set(known.path, token.value ?? '');
    else if (negated?.option.boolean) given.byPath.set(negated.path, 'false');
    else problems.push(`unknown option ${token.rawName}`);
  }
  const takesPositionals = Object.values(table).some((option) => option?.positional);
  if (!takesPositionals && given.positionals.length > 0) {
    problems.push(`unexpected argument (${given.positionals.length} given, none taken)`);
  }
  return given;
}

function positionals(given: Given): string[] | undefined {
  return given.positionals.length > 0 ? given.positionals : undefined;
}

function textOf(
  option: Option,
  path: string,
  given: Given,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return given.byPath.get(path) || (option.env && env[option.env]) || undefined;
}

function parse(option: Option, value: string | string[]): unknown {
  if (Array.isArray(value)) return value;
  if (option.boolean) return parseBoolean(value);
  return option.parse ? option.parse(value) : value;
}

function parseBoolean(text: string): boolean {
  if (/^(true|1|yes)$/i.test(text)) return true;
  if (/^(false|0|no)$/i.test(text)) return false;
  throw new Error(`'${text}' is neither true nor false`);
}

/** Makes the nested object even for an absent value, so that the schema names each missing key by itself. */
function setAt(input: Record<string, unknown>, path: string, value: unknown): void {
  const [key, nested] = path.split('.') as [string, string | undefined];
  if (nested === undefined) {
    if (value !== undefined) input[key] = value;
    return;
  }
  input[key] ??= {};
  const inner = input[key] as Record<string, unknown>;
  if (value !== undefined) inner[nested] = value;
}
