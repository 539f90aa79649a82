import {
  type AnyOptionTable,
  commonOptions,
  type Option,
} from '../../packages/service-kit/src/options/option-table.ts';
import { code, table } from './markdown.ts';

/** The options of a service with their variables and defaults, those that all services have included. */
export function optionTable(service: string, options: AnyOptionTable): string {
  const all = Object.values({ ...options, ...commonOptions(service) }).filter(
    (option) => option !== undefined,
  );
  return table(['option', 'variable', 'is'], all.map(row));
}

function row(option: Option): string[] {
  const shown = option.standaloneDefault ?? option.shownDefault;
  const meaning =
    shown === undefined
      ? option.description
      : `${option.description} Default: ${option.boolean ? (shown ? 'on' : 'off') : code(String(shown))}.`;
  return [flags(option), option.env === undefined ? '' : code(option.env), meaning];
}

function flags({ flag, short, boolean, placeholder = '<value>', positional }: Option): string {
  if (positional) return code(placeholder);
  const long = code(boolean ? `--[no-]${flag}` : `--${flag} ${placeholder}`);
  return short === undefined ? long : `${code(`-${short}`)}, ${long}`;
}
